//! Networks that must not meet: a guest's own, and those of the cluster that hosts it.

use ipnet::IpNet;

/// Whether two networks have addresses in common. Networks of different families never do.
pub fn overlaps(a: IpNet, b: IpNet) -> bool {
    // Of two networks that meet, one holds the other.
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests {
    use super::overlaps;

    #[test]
    fn one_holds_the_other_or_they_do_not_meet() {
        let check = |a: &str, b: &str| overlaps(a.parse().unwrap(), b.parse().unwrap());
        assert!(check("10.0.0.0/8", "10.1.0.0/16"));
        assert!(check("10.1.0.0/16", "10.0.0.0/8"));
        assert!(check("10.1.0.0/16", "10.1.0.0/16"));
        assert!(!check("10.128.0.0/14", "10.132.0.0/14"));
        assert!(!check("10.0.0.0/8", "fd00::/8"));
    }
}
