//! Tests of the whole: the library and the program from a scenario to its results.

mod azure2019;
mod compare;
mod conservation;
mod contract;
mod determinism;
mod docs;
mod eviction;
mod exhaustion;
mod generators;
mod golden;
mod house;
mod invalid;
mod isolation;
mod keep_alive;
mod lab;
mod lifecycle;
mod machine;
mod oracle_faas;
mod pools;
mod provisioning;
mod queueing;
mod scene;
mod starts;
