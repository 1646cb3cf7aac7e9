//! Many runs of one scenario from one file: grids and samples, replications, resume, shards, one tidy table, its statistics.
