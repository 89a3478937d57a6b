#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dorascope_fuzz::log(bytes));
