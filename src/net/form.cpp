#include "net/form.h"

#include <algorithm>

#include "net/hex.h"

namespace orchd::net {

void FormField::end_name() {
    in_ = !name_broken_ && seen_ == name_ ? In::value : In::elsewhere;
    if (in_ == In::value && ++found_ > 1) in_ = In::elsewhere;
    seen_.clear();
    name_broken_ = false;
}

void FormField::add(std::string_view plain) {
    if (in_ == In::value) return take_(plain);
    if (in_ == In::name) seen_.append(plain.substr(0, name_.size() + 1 - std::min(seen_.size(), name_.size() + 1)));
}

// The byte that an escape stands for, once it is whole.
void FormField::add_escaped(char c) {
    escape_ += c;
    if (escape_.size() < 3) return;
    const auto byte = byte_of_hex(escape_[1], escape_[2]);
    escape_.clear();
    if (byte && *byte != 0) {
        const auto plain = static_cast<char>(*byte);
        return add({&plain, 1});
    }
    (in_ == In::value ? broken_ : name_broken_) = true;
}

void FormField::put(std::string_view piece) {
    while (!piece.empty()) {
        const char c = piece.front();
        const bool ends = c == '&' || (c == '=' && in_ == In::name);
        if (ends || c == '%' || c == '+' || !escape_.empty()) {
            piece.remove_prefix(1);
            if (ends || c == '%') {
                if (!escape_.empty()) (in_ == In::value ? broken_ : name_broken_) = true;
                escape_.clear();
            }
            if (c == '=' && ends) {
                end_name();
            } else if (c == '&') {
                if (in_ == In::name) end_name();
                in_ = In::name;
            } else if (c == '%' || !escape_.empty()) {
                add_escaped(c);
            } else {
                add(" ");
            }
            continue;
        }
        const auto plain = piece.substr(0, piece.find_first_of(in_ == In::name ? "&=%+" : "&%+"));
        add(plain);
        piece.remove_prefix(plain.size());
    }
}

bool FormField::finish() {
    if (!escape_.empty()) (in_ == In::value ? broken_ : name_broken_) = true;
    if (in_ == In::name) end_name();
    return found_ == 1 && !broken_;
}

}  // namespace orchd::net
