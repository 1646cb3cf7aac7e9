//! Tests of the whole: the library and the program from a scenario to its results.

mod azure2019;
mod compare;
mod conservation;
mod density;
mod determinism;
mod docs;
mod generators;
mod golden;
mod hotcarbon;
mod house;
mod invalid;
mod isolation;
mod lab;
mod machine;
mod oracle_faas;
mod oracle_simfaas;
mod provisioning;
mod queueing;
