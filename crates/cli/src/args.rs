//! What was typed. Nothing here touches the system.

use std::path::PathBuf;
use std::time::Duration;

use berth_api::{GoDuration, Quantity};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

/// Hosted control planes on OpenShift Virtualization, from a bare management cluster to working guests
#[derive(Debug, Parser)]
#[command(name = "berth", version, max_term_width = 100)]
#[command(
    after_help = "Without --lab, --kubeconfig or --context, a command acts on the running lab or on the current \
                        kubeconfig, whichever exists; where both do, reads say which they took and writes refuse."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which management cluster a command acts on
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TargetArgs {
    /// Act on an embedded lab
    #[arg(long, global = true, value_name = "NAME", num_args = 0..=1, require_equals = true, default_missing_value = "default")]
    #[arg(conflicts_with = "kubeconfig", help_heading = "Target")]
    pub(crate) lab: Option<String>,
    /// Act on the cluster of this kubeconfig
    #[arg(long, global = true, value_name = "FILE", help_heading = "Target")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Act on the cluster, and as the user, of this kubeconfig context
    #[arg(long, global = true, value_name = "NAME", help_heading = "Target")]
    pub(crate) context: Option<String>,
    /// Never write to the cluster, whatever the command
    #[arg(long, global = true, help_heading = "Target")]
    pub(crate) read_only: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plan, ask, apply and wait until the documents are true
    Up(UpArgs),
    /// Show what `up` would do
    Plan(PlanArgs),
    /// Judge the documents and the cluster before anything is written
    Check(CheckArgs),
    /// Say what a field of a document is
    Explain {
        /// The field, as guestcluster.spec.controlPlane.etcd
        field: String,
    },
    /// Print documents of guests that exist, made by whatever
    Import(ImportArgs),
    /// Print the objects that the documents stand for
    Render(RenderArgs),
    /// Show the management cluster and its guests, what fails first
    Status(StatusArgs),
    /// List objects, as the server's own tables
    Get(GetArgs),
    /// Show an object with its events
    Describe(DescribeArgs),
    /// Delete a guest in order, explaining what blocks
    Down(DownArgs),
    /// Change how many workers a pool has
    Scale(ScaleArgs),
    /// Bring a guest to another release, its control plane first
    Upgrade(UpgradeArgs),
    /// Add, change and remove a guest's pools of workers
    Pool(PoolArgs),
    /// Have HyperShift leave a guest, or one pool, alone
    Pause(PauseArgs),
    /// Have HyperShift go on with a guest
    Resume(ResumeArgs),
    /// Back up a guest with OADP
    Backup(BackupArgs),
    /// Bring a guest back from a backup
    Restore(RestoreArgs),
    /// Print a guest's admin kubeconfig, merge it into the user's, or check one
    Kubeconfig(KubeconfigArgs),
    /// Print a guest's kubeadmin password
    Password(GuestArgs),
    /// Show who may log in to a guest; confirm a login, or take it back
    Identity(IdentityArgs),
    /// Print the address of a guest's console, and open it in a browser
    Open(OpenArgs),
    /// Tell the story of a guest's bring-up: its stages, what took long, what fails
    Why(WhyArgs),
    /// Start, stop and look at labs
    Lab(LabArgs),
    /// A drop-in for the `hcp` command
    #[command(disable_help_flag = true)]
    Hcp {
        /// What `hcp` takes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
        arguments: Vec<String>,
    },
    /// Print the JSON Schema of Berth's documents
    Schema {
        /// Only this kind: ManagementCluster or GuestCluster
        kind: Option<String>,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version(VersionArgs),
}

#[derive(Args, Debug)]
pub(crate) struct Documents {
    /// A document, or a folder of documents; `-` for standard input
    #[arg(short, long = "file", value_name = "FILE", required = true, num_args = 1.., action = clap::ArgAction::Append)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// Only this step, and those that it stands on
    #[arg(long, value_name = "STEP")]
    pub(crate) only: Vec<String>,
    /// Give up after this long, e.g. 40m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Print the guide's text as it goes
    #[arg(long)]
    pub(crate) narrate: bool,
    /// Don't ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Write every event as a JSON line to a file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) lab: LabOptions,
}

/// What a lab is started with
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LabOptions {
    /// How fast the lab's modelled work goes by: `max`, or a number (1 is the real pace)
    #[arg(long, value_name = "SPEED", help_heading = "Lab")]
    pub(crate) speed: Option<String>,
    /// Which upstream versions a new lab plays; it keeps them
    #[arg(long, value_name = "GENERATION", value_parser = berth_lab::Generation::ALL.map(berth_lab::Generation::name), help_heading = "Lab")]
    pub(crate) generation: Option<String>,
    /// Leave out an actor, e.g. `load_balancer`
    #[arg(long, value_name = "ACTOR", help_heading = "Lab")]
    pub(crate) without: Vec<String>,
    /// Load CustomResourceDefinitions from this folder in place of the lab's own
    #[arg(long, value_name = "DIR", help_heading = "Lab")]
    pub(crate) crds: Option<PathBuf>,
    /// Survive power loss too, at the price of slower writes
    #[arg(long, help_heading = "Lab")]
    pub(crate) fsync: bool,
    /// How many worker nodes a new lab has: three hold a handful of guests, forty hold two hundred
    #[arg(long, value_name = "COUNT", help_heading = "Lab")]
    pub(crate) workers: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// Print what a person would type instead
    #[arg(long)]
    pub(crate) commands: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
}

#[derive(Args, Debug)]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    pub(crate) documents: Documents,
    /// Write one file an object into this folder instead of printing
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Write a tree for Argo CD: the guests with sync waves, an Application, health checks
    #[arg(long, requires = "into")]
    pub(crate) argocd: bool,
    /// The address of the repository that the tree will be in
    #[arg(
        long,
        value_name = "URL",
        requires = "argocd",
        default_value = "https://git.example.com/guests.git"
    )]
    pub(crate) repo: String,
    /// The tree's folder in the repository
    #[arg(long, value_name = "PATH", requires = "argocd", default_value = ".")]
    pub(crate) path: String,
    /// The namespace that Argo CD runs in
    #[arg(long, value_name = "NAME", requires = "argocd", default_value = "openshift-gitops")]
    pub(crate) argocd_namespace: String,
    /// Fetch secrets from this ClusterSecretStore, by ExternalSecrets
    #[arg(long, value_name = "STORE", requires = "argocd")]
    pub(crate) external_secrets: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The guest: NAME or NAMESPACE/NAME
    #[arg(conflicts_with = "all")]
    pub(crate) guest: Option<String>,
    /// Every guest of the management cluster
    #[arg(long)]
    pub(crate) all: bool,
    /// Write one file a guest into this folder instead of printing
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct StatusArgs {
    /// Only this guest: NAME or NAMESPACE/NAME
    pub(crate) guest: Option<String>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
}

#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// Kinds, by any name that the server knows, separated by commas; TYPE/NAME works too
    pub(crate) kinds: String,
    /// Names of objects
    pub(crate) names: Vec<String>,
    /// Namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub(crate) output: Listing,
}

#[derive(Args, Debug)]
pub(crate) struct DescribeArgs {
    /// A kind, or TYPE/NAME
    pub(crate) kind: String,
    /// The object's name
    pub(crate) name: Option<String>,
    /// Namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct DownArgs {
    /// The guest: NAME or NAMESPACE/NAME
    #[arg(required_unless_present = "all")]
    pub(crate) guest: Option<String>,
    /// Every guest
    #[arg(long, conflicts_with = "guest")]
    pub(crate) all: bool,
    /// Let go of one thing that holds the guest, by the name that `down` shows for it
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub(crate) release: Option<String>,
    /// With `--release`: even of what a controller that lives may still take away itself
    #[arg(long, requires = "release")]
    pub(crate) despite_controller: bool,
    /// Don't ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Give up waiting after this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Write every event as a JSON line to a file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

/// How a command is carried out
#[derive(Args, Debug)]
pub(crate) struct MannerArgs {
    /// Don't ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Give up waiting after this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Write every event as a JSON line to a file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

/// How many workers
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WorkerArgs {
    /// So many workers
    #[arg(long, value_name = "N", conflicts_with_all = ["min", "max"])]
    pub(crate) replicas: Option<u32>,
    /// Let the autoscaler choose: at least so many
    #[arg(long, value_name = "N")]
    pub(crate) min: Option<u32>,
    /// Let the autoscaler choose: at most so many
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct ScaleArgs {
    /// The guest, and its pool where it has several: NAME or NAME/POOL
    #[arg(value_name = "NAME[/POOL]")]
    pub(crate) guest: String,
    #[command(flatten)]
    pub(crate) workers: WorkerArgs,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct UpgradeArgs {
    /// The guest: NAME or NAMESPACE/NAME
    #[arg(value_name = "NAME")]
    pub(crate) guest: Option<String>,
    /// The version, as 4.17.9; with --rehearse the hub's minor, as 4.18
    #[arg(long, value_name = "VERSION", conflicts_with = "image")]
    pub(crate) to: Option<String>,
    /// The release image
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Only the control plane; pools stay as they are
    #[arg(long, conflicts_with = "pool")]
    pub(crate) control_plane: bool,
    /// Only this pool
    #[arg(long, value_name = "POOL")]
    pub(crate) pool: Option<String>,
    /// Only judge whether it could be
    #[arg(long)]
    pub(crate) check: bool,
    /// Show in which order hub, engine, guests and pools can go, and which edge would break first; nothing is touched
    #[arg(long, conflicts_with_all = ["guest", "image", "control_plane", "pool", "check"])]
    pub(crate) rehearse: bool,
    /// How to print what --check and --rehearse find
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PoolArgs {
    #[command(subcommand)]
    pub(crate) command: PoolCommand,
}

/// Which pool
#[derive(Args, Debug)]
pub(crate) struct PoolTarget {
    /// The pool, behind its guest: GUEST/POOL
    #[arg(value_name = "GUEST/POOL")]
    pub(crate) pool: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PoolCommand {
    /// Add a pool; its NodePool is called GUEST-POOL
    Add {
        #[command(flatten)]
        pool: PoolTarget,
        #[command(flatten)]
        workers: WorkerArgs,
        #[command(flatten)]
        shape: ShapeArgs,
        #[command(flatten)]
        manner: MannerArgs,
    },
    /// Change what a pool's machines are like; the plan says whether they are replaced
    Set {
        #[command(flatten)]
        pool: PoolTarget,
        #[command(flatten)]
        shape: ShapeArgs,
        #[command(flatten)]
        manner: MannerArgs,
    },
    /// Remove a pool, with its virtual machines and their disks
    Rm {
        #[command(flatten)]
        pool: PoolTarget,
        #[command(flatten)]
        manner: MannerArgs,
    },
}

/// What a pool's machines are like
#[derive(Args, Debug)]
pub(crate) struct ShapeArgs {
    /// Each machine's cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cores: Option<u32>,
    /// Each machine's memory, as 16Gi
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) memory: Option<Quantity>,
    /// Each machine's disk, as 64Gi
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) disk: Option<Quantity>,
    /// The disks' storage class
    #[arg(long, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,
    /// Whether machines that stay unhealthy are replaced
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) auto_repair: Option<bool>,
    /// How long a node may take to drain, as 10m
    #[arg(long, value_name = "DURATION")]
    pub(crate) drain_timeout: Option<GoDuration>,
    /// A label for nodes that join: KEY=VALUE, or KEY- to remove one; may be repeated
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Vec<String>,
    /// A taint for nodes that join: KEY=VALUE:EFFECT; all taints together, may be repeated
    #[arg(long, value_name = "TAINT")]
    pub(crate) taint: Vec<String>,
    /// No taints
    #[arg(long, conflicts_with = "taint")]
    pub(crate) no_taints: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PauseArgs {
    /// The guest, or one pool of it: NAME or NAME/POOL
    #[arg(value_name = "NAME[/POOL]")]
    pub(crate) guest: String,
    /// Go on by itself at this time, as 2026-12-31T18:00:00Z; otherwise when it is resumed
    #[arg(long, value_name = "TIME", conflicts_with = "span")]
    pub(crate) until: Option<Timestamp>,
    /// Go on by itself after this long, as 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) span: Option<Duration>,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// The guest with all its pools, or one pool: NAME or NAME/POOL
    #[arg(value_name = "NAME[/POOL]")]
    pub(crate) guest: String,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// The guest: NAME or NAMESPACE/NAME
    #[arg(value_name = "NAME")]
    pub(crate) guest: String,
    /// The backup's name; otherwise the guest's, with the time
    #[arg(long, value_name = "BACKUP")]
    pub(crate) name: Option<String>,
    /// The BackupStorageLocation to put it; otherwise OADP's default
    #[arg(long, value_name = "LOCATION")]
    pub(crate) location: Option<String>,
    /// How long it is kept
    #[arg(long, value_name = "DURATION", default_value = "720h")]
    pub(crate) ttl: GoDuration,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// The guest, which must be gone: NAMESPACE/NAME
    #[arg(value_name = "NAMESPACE/NAME")]
    pub(crate) guest: String,
    /// The backup
    #[arg(long, value_name = "BACKUP")]
    pub(crate) from: String,
    #[command(flatten)]
    pub(crate) manner: MannerArgs,
}

impl From<MannerArgs> for crate::commands::day2::Manner {
    fn from(args: MannerArgs) -> Self {
        let MannerArgs { yes, timeout, events } = args;
        Self {
            yes,
            timeout,
            events,
            destroys: false,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct GuestArgs {
    /// The guest: NAME or NAMESPACE/NAME
    pub(crate) guest: String,
}

#[derive(Args, Debug)]
pub(crate) struct IdentityArgs {
    #[command(subcommand)]
    pub(crate) command: IdentityCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Show the providers, and how far each is
    Status {
        /// The guest: NAME or NAMESPACE/NAME
        guest: String,
        /// How to print it
        #[arg(short, long, value_enum, default_value_t = Structured::Text)]
        output: Structured,
    },
    /// Confirm a login, after a person has logged in
    Confirm {
        /// The guest: NAME or NAMESPACE/NAME
        guest: String,
        /// Only a login of this user counts
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Take the login back, and put back what was before
    Revert {
        /// The guest: NAME or NAMESPACE/NAME
        guest: String,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Let `up` try a login again that was taken back
    Retry {
        /// The guest: NAME or NAMESPACE/NAME
        guest: String,
    },
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct KubeconfigArgs {
    /// The guest: NAME or NAMESPACE/NAME
    #[arg(required_unless_present = "check")]
    pub(crate) guest: Option<String>,
    /// Merge it into the user's kubeconfig (the first file of $KUBECONFIG that is there, or ~/.kube/config)
    #[arg(long)]
    pub(crate) merge: bool,
    /// What to call the context; otherwise NAMESPACE-NAME
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) context_name: Option<String>,
    /// With --merge: make it the current context
    #[arg(long = "use", requires = "merge")]
    pub(crate) switch: bool,
    /// With --merge: replace what is there under the same name, even if it is for something else
    #[arg(long, requires = "merge")]
    pub(crate) force: bool,
    /// With --merge: keep the former file beside it, as FILE.bak (FILE.bak.1 where that is there, and so on)
    #[arg(long, requires = "merge")]
    pub(crate) backup: bool,
    /// One that fetches the current certificate from the hub each time it is used, so that it never grows old
    #[arg(long)]
    pub(crate) exec: bool,
    /// Say when the guest's kubeconfig ends and whether it works from here; with a file, whether that is what the hub has
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(conflicts_with_all = ["merge", "exec", "context_name"])]
    #[expect(
        clippy::option_option,
        reason = "clap's form for an option whose value may be left out"
    )]
    pub(crate) check: Option<Option<PathBuf>>,
    /// How to print what --check finds
    // What --check can't go with would lift the requirement of it.
    #[arg(short, long, value_enum, default_value_t = Structured::Text, requires = "check")]
    #[arg(conflicts_with_all = ["merge", "exec", "context_name", "credential"])]
    pub(crate) output: Structured,
    /// What the kubeconfig of --exec calls
    #[arg(long, hide = true, conflicts_with_all = ["merge", "exec", "check", "context_name"])]
    pub(crate) credential: bool,
}

#[derive(Args, Debug)]
pub(crate) struct OpenArgs {
    /// The guest: NAME or NAMESPACE/NAME
    pub(crate) guest: String,
    /// Only print the address
    #[arg(long)]
    pub(crate) print: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WhyArgs {
    /// The guest: NAME or NAMESPACE/NAME
    pub(crate) guest: String,
    /// As Markdown, for a ticket
    #[arg(long, conflicts_with = "output")]
    pub(crate) markdown: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
}

#[derive(Args, Debug)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Start a lab, or find the one that runs
    Start(LabOptions),
    /// Stop a lab; its data stay
    Stop,
    /// Stop a lab and delete its data
    Reset {
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Show a lab: address, speed, requests
    Status {
        /// How to print it
        #[arg(short, long, value_enum, default_value_t = Structured::Text)]
        output: Structured,
    },
    /// Print the path of a lab's kubeconfig
    Kubeconfig {
        /// Print its content instead
        #[arg(long)]
        raw: bool,
    },
    /// The lab's own process
    #[command(hide = true)]
    Run {
        /// What the starting process asks for
        #[arg(long)]
        options: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Structured::Text)]
    pub(crate) output: Structured,
}

/// Text for people, or a documented structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Structured {
    Text,
    Json,
    Yaml,
}

/// How `get` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

fn duration(text: &str) -> Result<Duration, String> {
    let signed: jiff::SignedDuration = text
        .parse()
        .map_err(|_| "not a duration such as 90s, 40m or 1h30m".to_owned())?;
    Duration::try_from(signed).map_err(|_| "a duration can't be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lab_takes_a_name_only_with_an_equals_sign() {
        let cli = Cli::try_parse_from(["berth", "status", "--lab", "guest-cluster-0"]).expect("parses");
        assert_eq!(cli.target.lab.as_deref(), Some("default"));
        let cli = Cli::try_parse_from(["berth", "--lab=second", "status"]).expect("parses");
        assert_eq!(cli.target.lab.as_deref(), Some("second"));
    }

    #[test]
    fn a_form_of_output_is_asked_for_only_where_something_is_checked() {
        let parses = |more: &[&str]| Cli::try_parse_from([&["berth", "kubeconfig", "g"], more].concat()).is_ok();
        assert!(parses(&[]) && parses(&["--check"]) && parses(&["--check", "-o", "json"]));
        assert!(parses(&["--context-name", "guest"]));
        for ignored in [
            &["-o", "json"][..],
            &["--merge", "-o", "yaml"],
            &["--exec", "-o", "text"],
            &["--context-name", "guest", "-o", "json"],
            &["--credential", "--context-name", "guest"],
        ] {
            assert!(!parses(ignored), "{ignored:?}");
        }
    }

    #[test]
    fn durations_are_as_people_write_them() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert!(duration("-3s").is_err());
        assert!(duration("soon").is_err());
    }
}
