#include "engine/early.h"

#include "core/utc_text.h"
#include "store/early_words.h"

namespace orchd::engine {

Result<std::string> early_word_text(store::Db& db, const std::string& work_item) {
    const auto word = store::find_early_word(db, work_item);
    if (!word) return fail(word.error());
    if (!*word) return std::string();
    const auto& w = **word;
    return w.by + (w.colour == Colour::green ? " approved" : " rejected") + " it at " + utc_text(w.at) +
           ", before it was there to be judged, so that does not count: say it again.";
}

}  // namespace orchd::engine
