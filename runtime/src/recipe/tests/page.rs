//! Pages of small recipes, searched for what they must and must not hold.

use super::*;

fn page_of(shop: &mut Workshop) -> String {
    shop.recipe.steps.push(Step::Report(vec![Output::Page("report.html".into())], Span::NONE));
    shop.run("out", &mut Watch::default());
    std::fs::read_to_string(shop.out("out").join("report.html")).unwrap()
}

/// All addresses that a browser would load.
fn addresses(page: &str) -> Vec<&str> {
    let after = |word: &'static str| page.split(word).skip(1).filter_map(|rest| rest.split('"').next());
    after("src=\"").chain(after("href=\"")).collect()
}

#[test]
fn a_page_stands_for_itself() {
    let page = page_of(&mut Workshop::new());
    assert!(!addresses(&page).is_empty());
    for address in addresses(&page) {
        let is_own = address.starts_with("data:image/png;base64,") || address.starts_with('#');
        assert!(is_own, "{address}");
    }
    for forbidden in ["<script", "@import", "url(", "<link"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
    let (images, words) = (page.matches("<img ").count(), page.matches(" alt=\"").count());
    assert_eq!(
        (images, words),
        (42 + 10 * 5, images),
        "samples; rows, their halves and three completions of each"
    );
}

#[test]
fn every_epoch_is_a_point_of_both_charts() {
    let page = page_of(&mut Workshop::new());
    for label in ["against time", "against edges visited"] {
        for stage in ["first", "second"] {
            assert!(
                page.contains(&format!("bits per dimension of stage {stage} {label}")),
                "{stage} {label}"
            );
        }
    }
    // Six epochs and three, in two charts, and a dot for the best epoch of each.
    assert_eq!(page.matches("<circle class=\"dot blue\"").count(), 2 * (6 + 3));
    assert_eq!(
        page.matches("<circle class=\"dot orange\"").count(),
        2 * 2 * 2,
        "a dot and its mark in the legend"
    );
    // Eight leaves go into a product of four units, and these into one sum: 36 edges, 60 rows, 6 epochs.
    assert!(page.contains("<td class=\"number\">13 k</td>"));
}

#[test]
fn a_page_that_is_lost_is_made_again_without_training() {
    let mut shop = Workshop::new();
    let page = page_of(&mut shop);
    std::fs::remove_file(shop.out("out").join("report.html")).unwrap();
    let done: Vec<bool> = shop.plan("out").steps.iter().map(|step| step.is_done).collect();
    assert_eq!(done, [true, true, true, true, false]);
    shop.run("out", &mut Watch::default());
    assert_eq!(std::fs::read_to_string(shop.out("out").join("report.html")).unwrap(), page);
}

#[test]
fn values_of_labels_have_their_mean_patch() {
    let mut shop = latents::pictures();
    let page = page_of(&mut shop);
    assert!(page.contains("alt=\"mean patch of value 0\"") && page.contains("alt=\"mean patch of value 1\""));
    assert!(!page.contains("mean patch of value 2"));
    // 3 of 8 labels are 1.
    assert!(page.contains("<b>1</b> &nbsp;37.5 %"), "shares are of labels");
}
