//! Words of goods that nobody has as a surname: a title with one of them is a thing's, whatever given name it begins with
//! (`Florence Wall Clock`, `Penny Loafer Brown`).

use crate::redact::evidence::Listed;
use std::sync::LazyLock;

/// Whether a folded word, or its singular, is one of goods.
pub(in crate::redact) fn is_of_goods(folded: &str) -> bool {
    GOODS.contains(folded)
        || folded.strip_suffix("es").is_some_and(|one| one.ends_with(['h', 'x', 'o']) && GOODS.contains(one))
        || folded.strip_suffix('s').is_some_and(|one| GOODS.contains(one))
}

static GOODS: LazyLock<Listed<&'static str>> =
    LazyLock::new(|| WORDS.iter().flat_map(|words| words.split_whitespace()).collect());

/// What shops sell, by kind; words that are surnames too (Ball, Glass, Rice, Wall) are left out.
const WORDS: [&str; 7] = [
    // Clothes and what is worn
    "socks sock boots shoe sneaker sandal slipper loafer loafers stiletto heels trainers jeans trousers shorts leggings tights tshirt shirt blouse sweater sweatshirt hoodie cardigan \
     jacket parka anorak raincoat skirt dress gown pyjamas pajamas nightgown underwear briefs bra bikini swimsuit scarf shawl gloves mittens beanie necktie handbag backpack rucksack duffel \
     suitcase luggage purse tote clutch wristwatch bracelet necklace earring pendant brooch sunglasses eyeglasses umbrella apron bathrobe overalls jumpsuit romper onesie jersey tracksuit",
    // House and garden
    "clock lamp chandelier lantern candle candlestick vase rug carpet doormat curtain cushion pillow pillowcase blanket duvet quilt bedsheet towel mattress sofa couch armchair recliner ottoman chair stool \
     bedside nightstand desk bookshelf bookcase wardrobe dresser basket bucket crate jug mug teapot saucer plate cutlery spatula ladle whisk skillet saucepan wok casserole kettle toaster blender \
     fridge freezer dishwasher microwave vacuum heater humidifier purifier thermostat doorbell wallpaper tablecloth napkin coaster corkscrew grater colander mower trowel wheelbarrow hose planter \
     flowerpot trellis barbecue bbq hammock parasol gazebo screwdriver wrench pliers drill toolbox ladder tarp chainsaw wicker linen velvet",
    // Food and drink
    "grapefruit strawberry raspberry blueberry banana pineapple avocado sponge biscuit cookie muffin brownie croissant baguette pasta spaghetti noodle muesli granola cereal oatmeal \
     yoghurt yogurt ketchup mustard mayonnaise vinegar glaze marinade chutney marmalade jam peanut cashew hazelnut pistachio chocolate cocoa toffee caramel candy snack crisps lemonade smoothie \
     juice vodka whisky whiskey liqueur prosecco champagne espresso cappuccino matcha teabag sachet seasoning paprika cinnamon turmeric soup salad sandwich pizza sausage",
    // Care and health
    "soap shampoo conditioner lotion moisturizer moisturiser serum sunscreen perfume fragrance cologne edt edp lipstick mascara eyeliner concealer nailpolish toothbrush toothpaste mouthwash razor deodorant \
     hairdryer hairbrush vitamin supplement ointment bandage thermometer diaper pacifier stroller crib",
    // Sport, play and travel
    "thermos tumbler flask tent paddleboard surfboard snowboard skateboard scooter bicycle helmet dumbbell kettlebell treadmill racket frisbee puzzle jigsaw plush playset dreamhouse lego \
     crayon sticker keyring keychain binoculars headlamp carabiner ukulele guitar harmonica",
    // Roads
    "highway parkway freeway motorway expressway turnpike",
    // Devices and their parts
    "keyboard monitor laptop notebook tablet smartphone smartwatch charger powerbank adapter headphone headset earbud soundbar subwoofer turntable tripod gimbal drone projector printer scanner router modem \
     webcam microphone joystick motherboard toner cartridge refill usb hdmi bluetooth wireless bottled spiced tourer boxer",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_are_told_from_surnames() {
        for word in ["clock", "socks", "loafers", "sandwiches", "thermos", "strawberry"] {
            assert!(is_of_goods(word), "{word}");
        }
        for word in ["ball", "coates", "sanders", "glass", "wall", "cook", "price", "rice", "brown", "fisher"] {
            assert!(!is_of_goods(word), "{word}");
        }
    }
}
