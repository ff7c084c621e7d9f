//! Reading scripts: features, oracles, robustness.

mod features;
mod oracles;
mod robustness;
mod splitting;
mod support;
