//! The htpasswd file of users whose passwords the document brings.
//!
//! The same document must give the same file, or each run would change it and roll the OAuth server out anew. So a hash's
//! salt is not drawn but made of the guest's own UID and the user: it is another one for each guest and user, and nobody could
//! know it before the guest was there, which is all that a salt is for.

use sha2::{Digest as _, Sha256};

/// 2^10 rounds: what `htpasswd -B -C 10` does, some 50 ms.
const COST: u32 = 10;

/// bcrypt takes no more of a password than this, and says nothing of the rest.
const LONGEST: usize = 72;

/// The file's text; `None` for a password that bcrypt does not take whole.
pub(super) fn file(uid: &str, provider: &str, users: &[(String, String)]) -> Option<String> {
    let mut file = String::new();
    for (user, password) in users {
        if password.len() > LONGEST {
            return None;
        }
        let digest = Sha256::digest(format!("{uid}\0{provider}\0{user}"));
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest[..16]);
        let hash = bcrypt::hash_with_salt(password, COST, salt).ok()?;
        file.push_str(&format!("{user}:{}\n", hash.format_for_version(bcrypt::Version::TwoY)));
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::file;

    fn users(password: &str) -> Vec<(String, String)> {
        vec![("ada".to_owned(), password.to_owned())]
    }

    #[test]
    fn a_password_is_hashed_whole_or_not_at_all() {
        assert!(file("1-2-3", "staff", &users(&"a".repeat(72))).is_some());
        assert_eq!(file("1-2-3", "staff", &users(&"a".repeat(73))), None);
    }

    #[test]
    fn the_same_document_gives_the_same_file_and_each_guest_another() {
        let once = file("1-2-3", "staff", &users("hunter2")).expect("a file");
        assert_eq!(file("1-2-3", "staff", &users("hunter2")), Some(once.clone()));
        assert_ne!(file("4-5-6", "staff", &users("hunter2")), Some(once.clone()));
        assert_ne!(file("1-2-3", "staff", &users("hunter3")), Some(once.clone()));
        let hash = once.trim_end().strip_prefix("ada:").expect("a line");
        assert!(hash.starts_with("$2y$10$"), "{hash}");
        assert!(bcrypt::verify("hunter2", hash).expect("a hash") && !bcrypt::verify("hunter3", hash).expect("a hash"));
    }
}
