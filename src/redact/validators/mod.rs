//! Checks that a candidate is what its pattern suggests. Each returns the part of the candidate that passes.
//!
//! **Invariants.** Every check is pure, takes time linear in the candidate (the IBAN's is quadratic in its at most 48
//! characters) and panics on no text. A check never sees more than a rule's pattern cut out.

mod bank;
mod card;
mod checksum;
mod compact;
mod email;
mod iban;
mod national;
mod national_americas;
mod national_asia;
mod national_europe_east;
mod national_europe_north;
mod national_europe_west;
mod national_us;
mod net;
mod papers;
mod phone;
mod secret;
mod vat;
mod wallet;

use crate::redact::evidence::{address, captions, countries, looks};
use crate::redact::validators::national_americas as americas;
use crate::redact::validators::national_asia as asia;
use crate::redact::validators::national_europe_east as east;
use crate::redact::validators::national_europe_north as north;
use crate::redact::validators::national_europe_west as west;
use crate::redact::validators::national_us as us;
use std::ops::Range;

pub(in crate::redact) use card::is_issued_card;
pub(in crate::redact) use checksum::{is_luhn, luhn_digit};
pub(in crate::redact) use email::is_email;
pub(in crate::redact) use iban::{iban_check_digits, is_iban};
pub(in crate::redact) use national::is_thirteen_digit_national;

/// Declares the checks: the variant, the name in rule files, and the function. `within` checks may pass a part of the
/// candidate, `whole` checks pass all of it or nothing.
macro_rules! validators {
    (within { $($part:ident $part_name:literal $part_check:path,)* } whole { $($all:ident $name:literal $check:path,)* }) => {
        /// A named check of rule files.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::redact) enum Validator { $($part,)* $($all,)* }

        impl Validator {
            /// Every check with its name in rule files.
            pub const ALL: &'static [(&'static str, Self)] =
                &[$(($part_name, Self::$part),)* $(($name, Self::$all),)*];

            /// The part of the candidate that passes the check, if one does.
            pub fn check(self, text: &str) -> Option<Range<usize>> {
                match self {
                    $(Self::$part => $part_check(text),)*
                    $(Self::$all => $check(text).then_some(0..text.len()),)*
                }
            }
        }
    };
}

validators! {
    within {
        Luhn "luhn" card::card_within,
        LuhnNamed "luhn-named" card::named_card_within,
        Iban "iban" iban::iban_within,
        Ipv6 "ipv6" net::ipv6_within,
        Phone "phone" phone::phone_within,
        NationalGrouped "national-grouped" national::grouped_within,
        NumberAnnounced "number-announced" national::announced_within,
        AddressLines "address-lines" address::address_within,
    }
    whole {
        Track "track" card::is_track,
        CardLike "card-like" card::is_card_like,
        Email "email" email::is_email,
        Ipv4 "ipv4" net::is_ipv4,
        Mac "mac" net::is_mac,
        PhoneAnnounced "phone-announced" phone::is_announced_phone,
        Jwt "jwt" secret::is_jwt,
        Random "random" secret::is_random,
        Base64Key "base64-key" secret::is_base64_key,
        Basic "basic" secret::is_basic,
        NoWords "no-words" secret::is_no_words,
        NoResource "no-resource" secret::is_no_resource,
        Aba "aba" bank::is_aba,
        Clabe "clabe" bank::is_clabe,
        CaRouting "ca-routing" bank::is_ca_routing,
        UkAccount "uk-account" bank::is_uk_account,
        Bsb "bsb" bank::is_bsb,
        Bic "bic" bank::is_bic,
        Ifsc "ifsc" bank::is_ifsc,
        Vat "vat" vat::is_vat,
        Mrz "mrz" papers::is_mrz,
        Wallet "wallet" wallet::is_wallet,
        Vin "vin" papers::is_vin,
        Imei "imei" papers::is_imei,
        NationalAny "national-any" national::is_any_national,
        NationalBare "national-bare" national::is_bare_national,
        NationalLettered "national-lettered" national::is_lettered_national,
        PersonLike "person-like" looks::may_be_person,
        PersonInPath "person-in-path" looks::may_be_person_in_path,
        KnownPerson "known-person" looks::is_known_person,
        PersonInText "person-in-text" looks::begins_as_person,
        LoginLike "login-like" looks::may_be_login,
        KnownLogin "known-login" looks::is_known_login,
        AddressText "address-text" address::may_be_address,
        NoCompany "no-company" looks::is_no_company,
        NoCountry "no-country" countries::is_no_country,
        NoAdvice "no-advice" captions::is_no_advice,
        KnownGiven "known-given" looks::is_known_given,
        Ssn "ssn" us::is_ssn,
        Itin "itin" us::is_itin,
        Ein "ein" us::is_ein,
        Mbi "mbi" us::is_mbi,
        Cpf "br-cpf" americas::is_cpf,
        Cnpj "br-cnpj" americas::is_cnpj,
        Cuit "ar-cuit" americas::is_cuit,
        Rut "cl-rut" americas::is_rut,
        Curp "mx-curp" americas::is_curp,
        Rfc "mx-rfc" americas::is_rfc,
        Nit "co-nit" americas::is_nit,
        Sin "ca-sin" americas::is_sin,
        EcCedula "ec-cedula" americas::is_ec_cedula,
        UyCedula "uy-cedula" americas::is_uy_cedula,
        Nhs "gb-nhs" west::is_nhs,
        Nino "gb-nino" west::is_nino,
        Utr "gb-utr" west::is_utr,
        SteuerId "de-steuer-id" west::is_steuer_id,
        DeDocument "de-document" west::is_de_document,
        DePension "de-pension" west::is_de_pension,
        Nir "fr-nir" west::is_nir,
        FrTax "fr-tax" west::is_fr_tax,
        Dni "es-dni" west::is_dni,
        CodiceFiscale "it-codice-fiscale" west::is_codice_fiscale,
        PartitaIva "it-partita-iva" west::is_partita_iva,
        Bsn "nl-bsn" west::is_bsn,
        RrnBe "be-rrn" west::is_rrn_be,
        NifPt "pt-nif" west::is_nif_pt,
        CartaoCidadao "pt-cc" west::is_cartao_cidadao,
        Ahv "ch-ahv" west::is_ahv,
        Svnr "at-svnr" west::is_svnr,
        Ppsn "ie-ppsn" west::is_ppsn,
        Matricule "lu-matricule" west::is_matricule,
        Amka "gr-amka" west::is_amka,
        Afm "gr-afm" west::is_afm,
        Personnummer "se-personnummer" north::is_personnummer,
        Fodselsnummer "no-fodselsnummer" north::is_fodselsnummer,
        Cpr "dk-cpr" north::is_cpr,
        Hetu "fi-hetu" north::is_hetu,
        Isikukood "ee-lt-code" north::is_isikukood,
        PersonasKods "lv-code" north::is_personas_kods,
        Kennitala "is-kennitala" north::is_kennitala,
        Pesel "pl-pesel" east::is_pesel,
        Nip "pl-nip" east::is_nip,
        PlDocument "pl-document" east::is_pl_document,
        RodneCislo "cz-sk-rodne-cislo" east::is_rodne_cislo,
        HuTax "hu-tax" east::is_hu_tax,
        HuPersonal "hu-personal" east::is_hu_personal,
        Taj "hu-taj" east::is_taj,
        Cnp "ro-cnp" east::is_cnp,
        Egn "bg-egn" east::is_egn,
        Oib "hr-oib" east::is_oib,
        Jmbg "si-emso" east::is_jmbg,
        Snils "ru-snils" east::is_snils,
        Inn "ru-inn" east::is_inn,
        Rnokpp "ua-rnokpp" east::is_rnokpp,
        Aadhaar "in-aadhaar" asia::is_aadhaar,
        Pan "in-pan" asia::is_pan,
        Tckn "tr-tckn" asia::is_tckn,
        TeudatZehut "il-teudat-zehut" asia::is_teudat_zehut,
        ZaId "za-id" asia::is_za_id,
        CnId "cn-id" asia::is_cn_id,
        MyNumber "jp-my-number" asia::is_my_number,
        RrnKr "kr-rrn" asia::is_rrn_kr,
        TwId "tw-id" asia::is_tw_id,
        Hkid "hk-id" asia::is_hkid,
        Nric "sg-nric" asia::is_nric,
        ThId "th-id" asia::is_th_id,
        Mykad "my-nric" asia::is_mykad,
        Nik "id-nik" asia::is_nik,
        Tfn "au-tfn" asia::is_tfn,
        Medicare "au-medicare" asia::is_medicare,
        Abn "au-abn" asia::is_abn,
        Ird "nz-ird" asia::is_ird,
    }
}

impl Validator {
    /// Whether it is known to pass nothing that has no digit.
    pub fn needs_digit(self) -> bool {
        matches!(self, Self::NationalAny)
    }

    /// Whether it believes what a word before the candidate says, having no proof of its own.
    pub fn believes_words(self) -> bool {
        matches!(self, Self::NumberAnnounced | Self::PhoneAnnounced | Self::LuhnNamed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Asserts that a check passes every right candidate whole and no wrong one.
    pub(in crate::redact) fn judge(validator: Validator, right: &[&str], wrong: &[&str]) {
        assert!(right.len() >= 2 && wrong.len() >= 3, "{validator:?} has too few samples");
        for text in right {
            assert_eq!(validator.check(text), Some(0..text.len()), "{validator:?} {text:?}");
        }
        for text in wrong {
            assert_ne!(validator.check(text), Some(0..text.len()), "{validator:?} {text:?}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = Validator::ALL.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Validator::ALL.len());
    }

    proptest! {
        #[test]
        fn no_check_panics_and_every_part_lies_inside(text in "[0-9A-Za-z<+(). /\\-é]{0,50}") {
            for (name, validator) in Validator::ALL {
                if let Some(part) = validator.check(&text) {
                    prop_assert!(text.get(part).is_some(), "{} {}", name, text);
                }
            }
        }

        #[test]
        fn no_run_of_digits_panics(text in "[0-9]{0,40}") {
            for (_, validator) in Validator::ALL {
                let _ = validator.check(&text);
            }
        }
    }
}
