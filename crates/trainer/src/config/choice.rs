//! A setting whose values have settings of their own.

use toml::Value;

use super::expects::one_of;
use super::given::Given;
use super::key::{About, Setting};

/// A name, what is said beside it in lists, and how what it stands for is read, with the settings that it alone has.
pub(super) type Alternative<T> = (&'static str, &'static str, fn(&mut Given) -> T);

/// A setting whose values have settings of their own.
pub(super) struct Choice<T: 'static> {
    about: About,
    pub(super) alternatives: &'static [Alternative<T>],
}

/// One of several alternatives.
pub(super) const fn choice<T: 'static>(
    path: &'static str,
    sentence: &'static str,
    alternatives: &'static [Alternative<T>],
) -> Choice<T> {
    Choice { about: About::new(path, sentence), alternatives }
}

impl<T: 'static> Choice<T> {
    /// What files of version 1 meant where they lack it, as TOML.
    pub(super) const fn before_2(mut self, value: &'static str) -> Self {
        self.about.before_2 = Some(value);
        self
    }

    /// The `section.name` that it has in files.
    pub(super) const fn path(&self) -> &'static str {
        self.about.path
    }
}

impl<T: 'static> Setting for Choice<T> {
    fn about(&self) -> &About {
        &self.about
    }

    fn expected(&self) -> String {
        let names = self.alternatives.iter().map(|(name, aside, _)| {
            if aside.is_empty() { format!("\"{name}\"") } else { format!("\"{name}\" ({aside})") }
        });
        one_of(names.collect())
    }

    fn canonical(&self, value: &Value) -> Option<Value> {
        let known = |name: &str| self.alternatives.iter().any(|(known, ..)| *known == name);
        value.as_str().is_some_and(known).then(|| value.clone())
    }

    fn owned(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        self.alternatives.iter().map(|(name, _, read)| (*name, Given::asked_by(*read))).collect()
    }
}

impl Given {
    /// What the chosen alternative reads.
    pub(super) fn choose<T: 'static>(&mut self, choice: &'static Choice<T>) -> T {
        let value = self.usable(choice, None);
        let chosen = value.as_ref().and_then(Value::as_str);
        let alternative = choice.alternatives.iter().find(|(name, ..)| Some(*name) == chosen);
        if let Some((name, _, read)) = alternative {
            return self.read_chosen(choice, name, *read);
        }
        // Which settings it has is not known: none of those it could have is one too many.
        let mut results = choice.alternatives.iter().map(|(.., read)| self.read_unchosen(*read)).collect::<Vec<_>>();
        results.swap_remove(0)
    }
}
