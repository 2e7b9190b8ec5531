//! Section 8.1: paths and discovery.

use crate::{run, text};

#[test]
fn c001_the_version_is_one() {
    run(async |suite| {
        let answer = suite.get("/version").await.is(200);
        let version = text(&answer.body["gitVersion"]);
        let numbers: Vec<&str> = version.strip_prefix('v').unwrap().splitn(3, '.').collect();
        assert!(numbers.len() == 3 && numbers[0].parse::<u32>().is_ok() && numbers[1].parse::<u32>().is_ok());
    });
}
