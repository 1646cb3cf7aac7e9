//! Every published figure and oracle that the program is held against: claim, source, published, ours, tolerance, verdict.
