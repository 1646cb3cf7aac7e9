mod azure2019;
mod provisioning;
