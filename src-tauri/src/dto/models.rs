//! The models that the page offers, and how far a fetch is.

use rummage_engine::{Fetched, ModelPresence};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelView {
    id: String,
    name: String,
    license: String,
    languages: Vec<String>,
    dims: u32,
    bytes: u64,
    /// Ids; empty for a single model.
    parts: Vec<String>,
    /// installed, broken or known
    state: &'static str,
    /// What is wrong with a broken one.
    reason: Option<String>,
    offers: Vec<Offer>,
    is_active: bool,
    is_chosen: bool,
    can_remove: bool,
}

/// What a fetch would get.
#[derive(Debug, Clone, Serialize)]
pub struct Offer {
    id: String,
    address: String,
    bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct FetchStep {
    id: String,
    /// In bytes.
    done: u64,
    total: u64,
}

impl From<rummage_engine::ModelView> for ModelView {
    fn from(view: rummage_engine::ModelView) -> Self {
        let state = view.state.name();
        let offer = |rummage_engine::Offer { id, address, bytes }| Offer { id, address, bytes };
        Self {
            id: view.id,
            name: view.name,
            license: view.license,
            languages: view.languages,
            dims: view.dims,
            bytes: view.bytes,
            parts: view.parts.into_iter().map(|(id, _)| id).collect(),
            state,
            reason: match view.state {
                ModelPresence::Broken(reason) => Some(reason),
                ModelPresence::Installed | ModelPresence::Known => None,
            },
            offers: view.offers.into_iter().map(offer).collect(),
            is_active: view.is_active,
            is_chosen: view.is_chosen,
            can_remove: view.can_remove,
        }
    }
}

impl FetchStep {
    pub fn new(id: &str, fetched: Fetched) -> Self {
        Self { id: id.to_owned(), done: fetched.done, total: fetched.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_one_says_why_and_one_that_is_not_here_where_it_is() {
        let view = |state, offers| {
            let view = ModelView::from(rummage_engine::ModelView {
                id: "m".to_owned(),
                name: "M".to_owned(),
                license: "MIT".to_owned(),
                languages: Vec::new(),
                dims: 4,
                bytes: 9,
                parts: vec![("a".to_owned(), 0.5), ("b".to_owned(), 0.5)],
                state,
                offers,
                is_active: false,
                is_chosen: true,
                can_remove: false,
            });
            serde_json::to_value(view).unwrap()
        };
        let broken = view(ModelPresence::Broken("cut".to_owned()), Vec::new());
        assert_eq!((&broken["state"], &broken["reason"]), (&"broken".into(), &"cut".into()));
        assert_eq!(broken["parts"], serde_json::json!(["a", "b"]));
        let (id, address) = ("b".to_owned(), "https://hub/".to_owned());
        let known =
            view(ModelPresence::Known, vec![rummage_engine::Offer { id, address, bytes: 9 }]);
        assert_eq!((&known["state"], &known["isChosen"]), (&"known".into(), &true.into()));
        let offered = serde_json::json!([{ "id": "b", "address": "https://hub/", "bytes": 9 }]);
        assert_eq!(known["offers"], offered);
    }
}
