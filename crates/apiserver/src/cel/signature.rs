//! What each function takes and returns. One line is one signature; `A`, `B`, `K` and `V` stand for any type.

use std::{collections::BTreeMap, sync::LazyLock};

use super::types::Type;

/// The operators, the standard functions, and those of `functions/`.
const TABLE: &str = "
_?_:_(bool,A,A) A
_&&_(bool,bool) bool
_||_(bool,bool) bool
!_(bool) bool
@not_strictly_false(bool) bool
_==_(A,A) bool
_!=_(A,A) bool
@in(A,list<A>) bool
@in(K,map<K,V>) bool
@plain(A) A
_[_](list<A>,int) A
_[_](map<K,V>,K) V
_+_(int,int) int
_+_(uint,uint) uint
_+_(double,double) double
_+_(string,string) string
_+_(bytes,bytes) bytes
_+_(list<A>,list<A>) list<A>
_+_(duration,duration) duration
_+_(timestamp,duration) timestamp
_+_(duration,timestamp) timestamp
_-_(int,int) int
_-_(uint,uint) uint
_-_(double,double) double
_-_(duration,duration) duration
_-_(timestamp,timestamp) duration
_-_(timestamp,duration) timestamp
_*_(int,int) int
_*_(uint,uint) uint
_*_(double,double) double
_/_(int,int) int
_/_(uint,uint) uint
_/_(double,double) double
_%_(int,int) int
_%_(uint,uint) uint
-_(int) int
-_(double) double

size(string) int
size(bytes) int
size(list<A>) int
size(map<K,V>) int
string.size() int
bytes.size() int
list<A>.size() int
map<K,V>.size() int
dyn(A) dyn
type(A) type
bool(bool) bool
bool(string) bool
int(int) int
int(uint) int
int(double) int
int(string) int
int(timestamp) int
uint(uint) uint
uint(int) uint
uint(double) uint
uint(string) uint
double(double) double
double(int) double
double(uint) double
double(string) double
string(string) string
string(bool) string
string(int) string
string(uint) string
string(double) string
string(bytes) string
string(timestamp) string
string(duration) string
string(net.IP) string
string(net.CIDR) string
bytes(bytes) bytes
bytes(string) bytes
duration(duration) duration
duration(string) duration
timestamp(timestamp) timestamp
timestamp(string) timestamp
timestamp(int) timestamp
string.contains(string) bool
string.startsWith(string) bool
string.endsWith(string) bool
string.matches(string) bool
matches(string,string) bool
duration.getHours() int
duration.getMinutes() int
duration.getSeconds() int
duration.getMilliseconds() int
timestamp.getFullYear() int
timestamp.getMonth() int
timestamp.getDayOfYear() int
timestamp.getDayOfMonth() int
timestamp.getDate() int
timestamp.getDayOfWeek() int
timestamp.getHours() int
timestamp.getMinutes() int
timestamp.getSeconds() int
timestamp.getMilliseconds() int
timestamp.getFullYear(string) int
timestamp.getMonth(string) int
timestamp.getDayOfYear(string) int
timestamp.getDayOfMonth(string) int
timestamp.getDate(string) int
timestamp.getDayOfWeek(string) int
timestamp.getHours(string) int
timestamp.getMinutes(string) int
timestamp.getSeconds(string) int
timestamp.getMilliseconds(string) int
optional.of(A) optional<A>
optional.ofNonZeroValue(A) optional<A>
optional.none() optional<A>
optional<A>.hasValue() bool
optional<A>.value() A
optional<A>.or(optional<A>) optional<A>
optional<A>.orValue(A) A

string.charAt(int) string
string.indexOf(string) int
string.indexOf(string,int) int
string.lastIndexOf(string) int
string.lastIndexOf(string,int) int
list<string>.join() string
list<string>.join(string) string
string.lowerAscii() string
string.upperAscii() string
string.trim() string
string.replace(string,string) string
string.replace(string,string,int) string
string.split(string) list<string>
string.split(string,int) list<string>
string.substring(int) string
string.substring(int,int) string
string.format(list<dyn>) string
strings.quote(string) string

list<A>.slice(int,int) list<A>
list<A>.flatten() list<dyn>
list<A>.flatten(int) list<dyn>
list<A>.distinct() list<A>
list<A>.reverse() list<A>
list<A>.sort() list<A>
list<A>.@sortByAssociatedKeys(list<B>) list<A>
list<A>.first() optional<A>
list<A>.last() optional<A>
lists.range(int) list<int>
list<A>.isSorted() bool
list<int>.sum() int
list<uint>.sum() uint
list<double>.sum() double
list<duration>.sum() duration
list<A>.min() A
list<A>.max() A
list<A>.indexOf(A) int
list<A>.lastIndexOf(A) int
sets.contains(list<A>,list<A>) bool
sets.equivalent(list<A>,list<A>) bool
sets.intersects(list<A>,list<A>) bool

string.find(string) string
string.findAll(string) list<string>
string.findAll(string,int) list<string>
url(string) kubernetes.URL
isURL(string) bool
kubernetes.URL.getScheme() string
kubernetes.URL.getHost() string
kubernetes.URL.getHostname() string
kubernetes.URL.getPort() string
kubernetes.URL.getEscapedPath() string
kubernetes.URL.getQuery() map<string,list<string>>
ip(string) net.IP
isIP(string) bool
ip.isCanonical(string) bool
net.IP.family() int
net.IP.isUnspecified() bool
net.IP.isLoopback() bool
net.IP.isLinkLocalMulticast() bool
net.IP.isLinkLocalUnicast() bool
net.IP.isGlobalUnicast() bool
cidr(string) net.CIDR
isCIDR(string) bool
net.CIDR.containsIP(net.IP) bool
net.CIDR.containsIP(string) bool
net.CIDR.containsCIDR(net.CIDR) bool
net.CIDR.containsCIDR(string) bool
net.CIDR.ip() net.IP
net.CIDR.masked() net.CIDR
net.CIDR.prefixLength() int
quantity(string) kubernetes.Quantity
isQuantity(string) bool
sign(kubernetes.Quantity) int
kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) bool
kubernetes.Quantity.isLessThan(kubernetes.Quantity) bool
kubernetes.Quantity.compareTo(kubernetes.Quantity) int
kubernetes.Quantity.asInteger() int
kubernetes.Quantity.asApproximateFloat() double
kubernetes.Quantity.isInteger() bool
kubernetes.Quantity.add(kubernetes.Quantity) kubernetes.Quantity
kubernetes.Quantity.add(int) kubernetes.Quantity
kubernetes.Quantity.sub(kubernetes.Quantity) kubernetes.Quantity
kubernetes.Quantity.sub(int) kubernetes.Quantity
semver(string) kubernetes.Semver
semver(string,bool) kubernetes.Semver
isSemver(string) bool
isSemver(string,bool) bool
kubernetes.Semver.isGreaterThan(kubernetes.Semver) bool
kubernetes.Semver.isLessThan(kubernetes.Semver) bool
kubernetes.Semver.compareTo(kubernetes.Semver) int
kubernetes.Semver.major() int
kubernetes.Semver.minor() int
kubernetes.Semver.patch() int
format.dns1123Label() kubernetes.NamedFormat
format.dns1123Subdomain() kubernetes.NamedFormat
format.dns1035Label() kubernetes.NamedFormat
format.qualifiedName() kubernetes.NamedFormat
format.dns1123LabelPrefix() kubernetes.NamedFormat
format.dns1123SubdomainPrefix() kubernetes.NamedFormat
format.dns1035LabelPrefix() kubernetes.NamedFormat
format.labelValue() kubernetes.NamedFormat
format.uri() kubernetes.NamedFormat
format.uuid() kubernetes.NamedFormat
format.byte() kubernetes.NamedFormat
format.date() kubernetes.NamedFormat
format.datetime() kubernetes.NamedFormat
format.named(string) optional<kubernetes.NamedFormat>
kubernetes.NamedFormat.validate(string) optional<list<string>>
";

/// Types that have an order, each with itself; numbers with each other too.
const ORDERED: [&str; 5] = ["bool", "string", "bytes", "timestamp", "duration"];
const NUMBERS: [&str; 3] = ["int", "uint", "double"];
const COMPARISONS: [&str; 4] = ["_<_", "_<=_", "_>_", "_>=_"];

/// Prefixes that are no types, but belong to the name of a function.
const NAMESPACES: [&str; 6] = ["optional", "strings", "lists", "sets", "format", "ip"];

/// What one form of a function takes and returns.
#[derive(Debug)]
pub(super) struct Signature {
    /// What stands before the dot of a call, if one does.
    pub(super) target: Option<Type<'static>>,
    pub(super) arguments: Vec<Type<'static>>,
    pub(super) result: Type<'static>,
}

/// All signatures, by the function's name.
pub(super) static SIGNATURES: LazyLock<BTreeMap<&'static str, Vec<Signature>>> = LazyLock::new(|| {
    let mut signatures: BTreeMap<&str, Vec<Signature>> = BTreeMap::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (name, signature) = read(line);
        signatures.entry(name).or_default().push(signature);
    }
    let pairs = ORDERED.iter().map(|name| (*name, *name));
    let numbers = NUMBERS
        .iter()
        .flat_map(|one| NUMBERS.iter().map(move |two| (*one, *two)));
    for (one, two) in pairs.chain(numbers) {
        for name in COMPARISONS {
            signatures.entry(name).or_default().push(Signature {
                target: None,
                arguments: vec![Type::Named(one), Type::Named(two)],
                result: super::types::BOOL,
            });
        }
    }
    signatures
});

fn read(line: &'static str) -> (&'static str, Signature) {
    let (call, result) = line.rsplit_once(' ').expect("a line ends in a type");
    let open = call.rfind('(').expect("a call has arguments");
    let (name, arguments) = (&call[..open], &call[open + 1..call.len() - 1]);
    let (target, name) = match name.rsplit_once('.') {
        Some((target, method)) if !NAMESPACES.contains(&target) => (Some(type_named(target)), method),
        _ => (None, name),
    };
    let signature = Signature {
        target,
        arguments: split(arguments).into_iter().map(type_named).collect(),
        result: type_named(result),
    };
    (name, signature)
}

/// Splits at commas, but not within angle brackets.
fn split(list: &'static str) -> Vec<&'static str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (index, char) in list.char_indices() {
        match char {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < list.len() {
        parts.push(&list[start..]);
    }
    parts
}

fn type_named(name: &'static str) -> Type<'static> {
    let inside = |prefix: &str| name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(item) = inside("list<") {
        return Type::List(Box::new(type_named(item)));
    }
    if let Some(inner) = inside("optional<") {
        return Type::Optional(Box::new(type_named(inner)));
    }
    if let Some((key, value)) = inside("map<").and_then(|entry| entry.split_once(',')) {
        return Type::Map(Box::new(type_named(key)), Box::new(type_named(value)));
    }
    match name {
        "dyn" => Type::Dyn,
        "A" => Type::Parameter(0),
        "B" => Type::Parameter(1),
        "K" => Type::Parameter(2),
        "V" => Type::Parameter(3),
        name => Type::Named(name),
    }
}
