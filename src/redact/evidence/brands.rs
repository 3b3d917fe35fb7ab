//! Brands and companies that carry somebody's whole name: `Calvin Klein`, `Jack Daniel's` and `Morgan Stanley` are on
//! invoices and in catalogues far more often than anybody called so.

use crate::redact::evidence::Listed;
use std::sync::LazyLock;

/// Whether two of the folded words that stand beside each other are the name of a brand.
pub(in crate::redact) fn has_brand(words: &[String]) -> bool {
    words.windows(2).any(|pair| BRANDS.contains(&(bare(&pair[0]), bare(&pair[1]))))
}

/// A word without the `s` of a genitive: `Jack Daniels`, `Jack Daniel's`.
fn bare(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 3).unwrap_or(word)
}

static BRANDS: LazyLock<Listed<(&'static str, &'static str)>> = LazyLock::new(|| {
    let pairs = NAMES.iter().flat_map(|names| names.split(", ")).filter_map(|name| name.split_once(' '));
    pairs.map(|(first, last)| (bare(first), bare(last))).collect()
});

/// By trade, folded, two words each.
const NAMES: [&str; 5] = [
    // Clothes, jewellery and care
    "tommy hilfiger, calvin klein, hugo boss, ralph lauren, michael kors, kate spade, marc jacobs, ted baker, jack wolfskin, helly hansen, vera wang, louis vuitton, saint laurent, paul gaultier, \
     carolina herrera, estee lauder, elizabeth arden, helena rubinstein, bobbi brown, jimmy choo, stella mccartney, alexander mcqueen, christian dior, giorgio armani, emporio armani, roberto cavalli, salvatore ferragamo, ermenegildo zegna, \
     karl lagerfeld, tory burch, chuck taylor, doc marten, dr marten, charles tyrwhitt, daniel wellington, patek philippe, vivienne westwood, tommy bahama, \
     cole haan, donna karan, liz claiborne, pierre cardin, guy laroche, nina ricci, paco rabanne, thierry mugler, \
     jane iredale, charlotte tilbury, anna sui, laura mercier, ole henriksen, oscar renta, elie saab, christian louboutin, isabel marant, sonia rykiel, marco tozzi, bruno banani, philipp plein, jil sander, \
     wolfgang joop",
    // Food and drink
    "jack daniel, captain morgan, earl grey, lady grey, johnnie walker, jim beam, jose cuervo, don julio, dom perignon, elijah craig, ben jerry, uncle ben, aunt jemima, dr pepper, dr oetker, betty crocker, \
     granny smith, orville redenbacher, famous amos, victoria sponge, caesar salad, benedict egg, shirley temple, bloody mary, peach melba, beef wellington, \
     trader joe, papa john, jersey mike, tim horton, little debbie, henry weinhard, remy martin, pere magloire, veuve clicquot, moet chandon, laurent perrier, nicolas feuillatte",
    // Cars, tools and furniture
    "aston martin, alfa romeo, rolls royce, land rover, mercedes benz, harley davidson, john deere, massey ferguson, herman miller, hermann miller, charles eames, arne jacobsen, georg jensen, royal copenhagen, black decker, \
     otto bock, les paul, fritz hansen, louis poulsen, villeroy boch",
    // Banks, insurers, advisers
    "morgan stanley, goldman sach, jp morgan, merrill lynch, rowe price, ernst young, allen hamilton, lang lasalle, baker mckenzie, wells fargo, lloyd bank, \
     julius baer, marsh mclennan, morgan chase, clifford chance, allen overy, stephenson harwood",
    // Shops, makers, publishers
    "harvey nichol, barnes noble, marks spencer, williams sonoma, procter gamble, johnson johnson, lockheed martin, eli lilly, bristol myer, abercrombie fitch, victoria secret, \
     harry potter, winnie pooh, mickey mouse, donald duck, warner bro, \
     alfred karcher, carl zeiss, ernst leitz, claude sonnet, claude opus, claude haiku",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_is_two_words_that_stand_together() {
        let has = |text: &str| has_brand(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(
            has("tommy hilfiger polo")
                && has("honey jack daniels")
                && has("mercedes benz vito")
                && has("eli lilly")
                && has("claude sonnet")
        );
        assert!(
            !has("tommy miller")
                && !has("jack nicholson daniel")
                && !has("calvin")
                && !has("klein calvin")
                && !has("claude monet")
        );
    }
}
