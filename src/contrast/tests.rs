//! Results in memory and on disk, side by side.
