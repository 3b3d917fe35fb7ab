//! Countries by their English names: a country leads to nobody, and a geocoder gives it in the same field as a house.

use crate::redact::evidence::Listed;
use std::sync::LazyLock;

/// Whether a whole text is no country's name.
pub(in crate::redact) fn is_no_country(text: &str) -> bool {
    !COUNTRIES.contains(text.trim().to_ascii_lowercase().as_str())
}

static COUNTRIES: LazyLock<Listed<&str>> = LazyLock::new(|| COUNTRY_LIST.split(", ").collect());

/// The members of the United Nations, some others that geocoders know, and the commonest other names of these. Luxembourg,
/// Monaco, Singapore and their like are towns as well, and left out.
const COUNTRY_LIST: &str = "afghanistan, albania, algeria, andorra, angola, argentina, armenia, australia, austria, azerbaijan, bahamas, bahrain, bangladesh, barbados, belarus, belgium, belize, benin, \
    bhutan, bolivia, bosnia and herzegovina, botswana, brazil, brunei, bulgaria, burkina faso, burundi, cambodia, cameroon, canada, cape verde, chad, chile, china, colombia, comoros, congo, costa rica, \
    croatia, cuba, cyprus, czechia, czech republic, denmark, dominica, dominican republic, ecuador, egypt, el salvador, eritrea, estonia, eswatini, ethiopia, fiji, finland, france, gabon, gambia, \
    germany, ghana, greece, grenada, guinea, guyana, haiti, honduras, hungary, iceland, india, indonesia, iran, iraq, ireland, israel, italy, ivory coast, jamaica, japan, kazakhstan, kenya, kiribati, \
    kosovo, kyrgyzstan, laos, latvia, lebanon, lesotho, liberia, libya, liechtenstein, lithuania, madagascar, malawi, malaysia, maldives, mali, malta, mauritania, mauritius, moldova, mongolia, \
    montenegro, morocco, mozambique, myanmar, namibia, nauru, nepal, netherlands, the netherlands, new zealand, nicaragua, niger, nigeria, north korea, north macedonia, norway, oman, pakistan, palau, \
    palestine, papua new guinea, paraguay, peru, philippines, poland, portugal, qatar, romania, russia, rwanda, samoa, saudi arabia, senegal, serbia, seychelles, sierra leone, slovakia, slovenia, \
    solomon islands, somalia, south africa, south korea, south sudan, spain, sri lanka, sudan, suriname, sweden, switzerland, syria, taiwan, tajikistan, tanzania, thailand, togo, tonga, \
    trinidad and tobago, tunisia, turkey, turkmenistan, tuvalu, uganda, ukraine, united arab emirates, united kingdom, great britain, england, scotland, wales, northern ireland, united states, \
    united states of america, usa, uruguay, uzbekistan, vanuatu, venezuela, vietnam, viet nam, yemen, zambia, zimbabwe, hong kong, deutschland, österreich, schweiz, españa, italia, nederland, polska, türkiye";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_told_from_towns() {
        assert!(["Germany", "UNITED STATES", "New Zealand "].iter().all(|text| !is_no_country(text)));
        assert!(["Kiel", "Monaco", "Germany Road"].iter().all(|text| is_no_country(text)));
    }
}
