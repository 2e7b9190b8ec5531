//! Whether a text can be an htpasswd file of OpenShift's OAuth server. Says what is wrong without repeating a hash.

/// Hashes that the OAuth server compares: bcrypt, SHA-1, Apache's MD5.
const KNOWN: [&str; 5] = ["$2a$", "$2b$", "$2y$", "{SHA}", "$apr1$"];

/// So long is a bcrypt hash: `$2y$10$`, 22 characters of salt, 31 of hash.
const BCRYPT: usize = 60;

/// Why a text is no htpasswd file that anybody could log in with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HtpasswdProblem {
    #[error("the htpasswd file names no user")]
    Empty,
    #[error("line {0} of the htpasswd file is not `user:hash`")]
    NotALine(usize),
    #[error("line {0} of the htpasswd file has no hash that the OAuth server knows")]
    UnknownHash(usize),
    #[error("line {0} of the htpasswd file has a bcrypt hash that is not whole: it has 60 characters")]
    NotWhole(usize),
    #[error("line {0} of the htpasswd file names a user a second time")]
    Twice(usize),
}

impl HtpasswdProblem {
    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Empty => "add a user with `htpasswd -B FILE USER`: with nobody in it, nobody can log in",
            Self::NotALine(_) | Self::UnknownHash(_) | Self::NotWhole(_) => {
                "make each line with `htpasswd -B FILE USER`; bcrypt, {SHA} and $apr1$ are known"
            }
            Self::Twice(_) => "keep one of the lines: only one would count",
        }
    }
}

/// Checks each line, and that there is one.
pub(super) fn check(text: &str) -> Result<(), HtpasswdProblem> {
    let mut seen: Vec<&str> = Vec::new();
    for (number, line) in lines(text) {
        let (user, hash) = line.split_once(':').ok_or(HtpasswdProblem::NotALine(number))?;
        if user.trim().is_empty() || hash.is_empty() {
            return Err(HtpasswdProblem::NotALine(number));
        }
        if !KNOWN.iter().any(|known| hash.starts_with(known)) || hash.contains(char::is_whitespace) {
            return Err(HtpasswdProblem::UnknownHash(number));
        }
        if hash.starts_with("$2") && hash.len() != BCRYPT {
            return Err(HtpasswdProblem::NotWhole(number));
        }
        if seen.contains(&user) {
            return Err(HtpasswdProblem::Twice(number));
        }
        seen.push(user);
    }
    if seen.is_empty() {
        return Err(HtpasswdProblem::Empty);
    }
    Ok(())
}

/// The users that a file names.
pub(super) fn users(text: &str) -> Vec<String> {
    lines(text)
        .filter_map(|(_, line)| Some(line.split_once(':')?.0.to_owned()))
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::{HtpasswdProblem, check, users};

    #[test]
    fn known_hashes_are_taken_and_others_are_not() {
        let whole = format!("$2y$05${}", "x".repeat(53));
        let file = format!("# made by hand\nada:{whole}\n\ngrace:{{SHA}}x=\nalan:$apr1$x\n");
        assert_eq!(check(&file), Ok(()));
        assert_eq!(users(&file), ["ada", "grace", "alan"]);
        for (file, problem) in [
            ("", HtpasswdProblem::Empty),
            ("# nobody\n", HtpasswdProblem::Empty),
            ("ada\n", HtpasswdProblem::NotALine(1)),
            (":{SHA}x", HtpasswdProblem::NotALine(1)),
            ("ada:$2y$05$x", HtpasswdProblem::NotWhole(1)),
            ("ada:hunter2", HtpasswdProblem::UnknownHash(1)),
            ("ada:{SHA}x\ngrace:$6$x", HtpasswdProblem::UnknownHash(2)),
            ("ada:{SHA}y\nada:{SHA}x", HtpasswdProblem::Twice(2)),
        ] {
            assert_eq!(check(file), Err(problem), "{file}");
        }
    }

    #[test]
    fn no_problem_repeats_the_file() {
        let problem = check("ada:hunter2").unwrap_err();
        assert!(!format!("{problem} {problem:?} {}", problem.fix()).contains("hunter2"));
    }
}
