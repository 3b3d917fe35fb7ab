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
    "tommy hilfiger, calvin klein, hugo boss, ralph lauren, michael kors, kate spade, marc jacobs, tom ford, paul smith, ted baker, ben sherman, fred perry, jack wolfskin, helly hansen, vera wang, louis vuitton, saint laurent, paul gaultier, \
     carolina herrera, estee lauder, elizabeth arden, helena rubinstein, mary kay, bobbi brown, jimmy choo, stella mccartney, alexander mcqueen, christian dior, giorgio armani, emporio armani, roberto cavalli, salvatore ferragamo, ermenegildo zegna, \
     karl lagerfeld, tory burch, stan smith, chuck taylor, michael jordan, doc marten, dr marten, laura ashley, charles tyrwhitt, thomas sabo, daniel wellington, patek philippe, vivienne westwood, anne klein, perry ellis, tommy bahama, steve madden, \
     sam edelman, vince camuto, cole haan, allen edmonds, jack jones, kenneth cole, alexander wang, donna karan, liz claiborne, eddie bauer, lee cooper, pierre cardin, guy laroche, nina ricci, paco rabanne, thierry mugler, harry winston, david yurman, \
     peter millar, jane iredale, charlotte tilbury, anna sui, jo malone, laura mercier, ole henriksen, tom tailor, paul mitchell, max mara, oscar renta, elie saab, christian louboutin, isabel marant, sonia rykiel, tommy john, johnny was, peter hahn, gerry weber, marc cain, marco tozzi, bruno banani, james perse, philipp plein, jil sander, \
     wolfgang joop, otto kern, billy reid",
    // Food and drink
    "jack daniel, captain morgan, earl grey, lady grey, johnnie walker, jim beam, jose cuervo, don julio, dom perignon, evan williams, elijah craig, william lawson, ben jerry, uncle ben, aunt jemima, dr pepper, dr oetker, betty crocker, \
     granny smith, oscar mayer, orville redenbacher, duncan hines, sara lee, marie callender, jimmy dean, famous amos, victoria sponge, caesar salad, benedict egg, arnold palmer, shirley temple, bloody mary, tom collins, peach melba, beef wellington, \
     trader joe, papa john, jersey mike, jimmy john, tim horton, little debbie, william grant, george dickel, samuel adams, henry weinhard, remy martin, pere magloire, veuve clicquot, moet chandon, laurent perrier, nicolas feuillatte",
    // Cars, tools and furniture
    "aston martin, alfa romeo, rolls royce, land rover, mercedes benz, harley davidson, john deere, massey ferguson, henry ford, herman miller, hermann miller, ethan allen, charles eames, arne jacobsen, georg jensen, royal copenhagen, robert bosch, black decker, \
     otto bock, philip morris, thomas cook, samuel smith, martin logan, les paul, fritz hansen, louis poulsen, villeroy boch",
    // Banks, insurers, advisers
    "morgan stanley, goldman sach, jp morgan, charles schwab, merrill lynch, edward jone, raymond james, rowe price, ernst young, allen hamilton, lang lasalle, baker mckenzie, franklin templeton, wells fargo, john hancock, lloyd bank, \
     julius baer, marsh mclennan, arthur gallagher, robert half, robert walters, michael page, morgan chase, martin currie, allan gray, clifford chance, allen overy, norton rose, stephenson harwood,",
    // Shops, makers, publishers
    "john lewis, harvey nichol, barnes noble, marks spencer, mark spencer, williams sonoma, procter gamble, johnson johnson, lockheed martin, martin marietta, eli lilly, bristol myer, roger gallet, abercrombie fitch, victoria secret, \
     victoria beckham, harry potter, peter rabbit, winnie pooh, james bond, mickey mouse, donald duck, john wiley, random hous, simon schuster, harper collin, warner bro, martha stewart, rachael ray, jamie oliver, gordon ramsay, \
     james martin, anthony thomas, louis dreyfus, archer daniel, smith nephew, alfred karcher, carl zeiss, ernst leitz",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_is_two_words_that_stand_together() {
        let has = |text: &str| has_brand(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(
            has("tommy hilfiger polo") && has("honey jack daniels") && has("mercedes benz vito") && has("eli lilly")
        );
        assert!(!has("tommy miller") && !has("jack nicholson daniel") && !has("calvin") && !has("klein calvin"));
    }
}
