//! Failures that a world can be started with. Kept few: each stands for one that a person meets in the procedure.

/// Failures that a world is started with; none by default.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, and any set of them is possible"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// MetalLB has no address pool: Services of type LoadBalancer stay pending.
    pub no_address_pool: bool,
    /// No StorageClass has the virtualization default either, so that nothing is a default of any kind.
    pub no_default_storage_class: bool,
    /// Install plans wait for approval whatever their Subscription says (a sibling Subscription is Manual).
    pub manual_approval: bool,
    /// Release images cannot be pulled: HostedClusters show ValidReleaseImage False.
    pub release_image_refused: bool,
    /// Disk imports of worker machines fail.
    pub importer_fails: bool,
}
