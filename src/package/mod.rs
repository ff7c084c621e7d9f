//! What is to be written → the text of files.

pub mod python;
