//! A claim about figures as it is typed, `sci < 0.9 * baseline`: parsed, shown with a caret where it is wrong, evaluated.
