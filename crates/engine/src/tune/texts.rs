//! The texts that are embedded to measure: passages of the index, from all over it, or
//! where there are few, texts of our own.

use rummage_corpus::model_input;
use rummage_store::Store;

use crate::{EngineError, model::LoadedModel, shared::Shared};

/// Texts to choose from.
const MOST: usize = 1024;

/// With fewer of the index's own, ours are added.
const LEAST: usize = 64;

/// So many of ours differ in where they begin and how long they are.
const OURS: usize = 80;

/// Files that are looked into.
const FILES: usize = 512;

/// Their token ids as each part of the model sees them, the shortest text first.
pub(crate) async fn gather(
    shared: &Shared,
    store: Option<&Store>,
    model: &LoadedModel,
) -> Result<Vec<Vec<Vec<u32>>>, EngineError> {
    let mut texts = match store {
        Some(store) => of_index(shared, store).await?,
        None => Vec::new(),
    };
    if texts.len() < LEAST {
        texts.extend(of_our_own());
    }
    // From all over them, not the first files' alone.
    let step = texts.len().div_ceil(MOST).max(1);
    let texts: Vec<String> = texts.into_iter().step_by(step).collect();
    let model = model.clone();
    let tokenized = tokio::task::spawn_blocking(move || {
        let most = model.longest_passage();
        let tokens = |text: &String| -> Vec<Vec<u32>> {
            let of_parts = model.parts().iter().map(|part| part.passage_tokens(text));
            of_parts.map(|ids| ids.into_iter().take(most).collect()).collect()
        };
        let mut ids: Vec<_> = texts.iter().map(tokens).collect();
        ids.sort_by_key(|parts| parts.iter().map(Vec::len).sum::<usize>());
        ids
    });
    Ok(tokenized.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())))
}

async fn of_index(shared: &Shared, store: &Store) -> Result<Vec<String>, EngineError> {
    let files = shared.catalog.sample(FILES)?;
    let rows = store.passages_of(&files).await?;
    Ok(rows.iter().map(|row| model_input(&row.passage.context, &row.passage.text)).collect())
}

/// Of a sentence up to more than most models read at once.
fn of_our_own() -> impl Iterator<Item = String> {
    (0..OURS).map(|text| {
        let sentences = SENTENCES.iter().cycle().skip(text * 5);
        sentences.take(1 + text * 7 % 20).copied().collect::<Vec<_>>().join(" ")
    })
}

const SENTENCES: [&str; 16] = [
    "The roof over the north wing was mended in autumn, and the bill is still open.",
    "Before you take the bread out of the oven, knock on its crust: it should sound hollow.",
    "Minutes of the meeting: we agreed to move the archive to the second floor by June.",
    "A glacier moves because the ice at its base melts under the weight of what lies above it.",
    "If the parser meets a byte that it does not know, it skips to the next line and goes on.",
    "My grandmother wrote down every letter that she sent, with the date and the postage.",
    "The contract ends by itself after two years unless one side gives notice in writing.",
    "Patients who slept less than six hours reported headaches more often than the others.",
    "Take the path along the river until you reach the mill, then turn left at the oak.",
    "Interest is paid at the end of each quarter and added to what is in the account.",
    "The lamp flickers whenever the pump starts, so both are probably on one circuit.",
    "In the third movement the violins take up the theme that the oboe began with.",
    "Store seeds in a dry and dark place; most of them keep for three years or longer.",
    "The experiment was repeated with copper instead of zinc, and the voltage fell by half.",
    "Please send the signed form, a copy of your passport and two photographs to this address.",
    "When the queue is empty the workers are let go, and their memory returns to the system.",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn our_own_texts_are_of_all_lengths_and_none_is_there_twice() {
        let texts: Vec<String> = of_our_own().collect();
        assert_eq!(texts.iter().collect::<HashSet<_>>().len(), texts.len());
        let words = |text: &String| text.split_whitespace().count();
        assert!(texts.iter().map(words).min().unwrap() < 20);
        assert!(texts.iter().map(words).max().unwrap() > 250);
    }
}
