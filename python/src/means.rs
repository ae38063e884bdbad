//! Requests and means, as Python gives them.

use std::collections::HashMap;
use std::path::PathBuf;

use mandelfarm::{Address, BackendChoice, Environment, FarmArgs, FarmMeans, JobTerms, Palette};
use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;

/// Where something is computed.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Place {
    /// The farm's Redis; in process when `None`.
    url: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    tls_ca: Option<PathBuf>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    farm_key_file: Option<PathBuf>,
    insecure: bool,
    /// The tag that workers have which may compute it.
    on: Option<String>,
    owner: Option<String>,
    workers: Option<u16>,
    backend: String,
    /// Variables that say of ways into farms.
    environment: HashMap<String, String>,
}

impl Place {
    /// The same as means.
    ///
    /// # Errors
    /// A kind of device that is none.
    pub fn means(self) -> Result<FarmMeans, Failure> {
        let access = FarmArgs {
            redis_user: self.user,
            redis_password_file: self.password_file,
            tls_ca: self.tls_ca,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            farm_key_file: self.farm_key_file,
            insecure: self.insecure,
        };
        Ok(FarmMeans {
            redis: self.url.map(|url| Address::of_user(url, access)),
            workers: self.workers,
            terms: JobTerms {
                on: self.on,
                owner: self.owner,
            },
            backend: word::<BackendChoice>("backend", &self.backend)?,
            environment: Environment::of(|name| self.environment.get(name).cloned()),
            ..FarmMeans::default()
        })
    }
}

/// What a word stands for; `name` is where it was given.
///
/// # Errors
/// A word that is none of those.
pub fn word<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_value(Value::from(text))
        .map_err(|error| Failure::usage(format!("{name}: {error}")))
}

/// A request as JSON, and the palette that it names where that is in a file.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn request<T: DeserializeOwned>(json: &str) -> Result<(T, Option<String>), Failure> {
    let mut value: Value = serde_json::from_str(json).map_err(Failure::usage)?;
    let palette = value.get("palette").and_then(Value::as_str);
    let file = palette.filter(|text| text.parse::<Palette>().is_err());
    let file = file.map(str::to_owned);
    if let (true, Some(request)) = (file.is_some(), value.as_object_mut()) {
        request.remove("palette");
    }
    match serde_json::from_value(value.clone()) {
        Ok(request) => Ok((request, file)),
        Err(error) => Err(named::<T>(&value).unwrap_or_else(|| Failure::usage(error))),
    }
}

/// The first word of a request that is none, and why, in one line.
fn named<T: DeserializeOwned>(value: &Value) -> Option<Failure> {
    value.as_object()?.iter().find_map(|(name, word)| {
        let alone = serde_json::json!({ name: word });
        let error = serde_json::from_value::<T>(alone).err()?.to_string();
        // Where numbers may be texts, it says why they are neither, a line each.
        let mut lines = error.lines().filter_map(|line| line.split_once(": "));
        let why = match word.is_string() {
            true => lines.next_back(),
            false => lines.next(),
        };
        let is_one = !error.contains('\n');
        let why = why.filter(|_| !is_one).map_or(&*error, |(_, why)| why);
        Some(Failure::usage(format!("{name}: {why}")))
    })
}
