#include "control/polkit.h"

#include <pwd.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace orchd::control {
namespace {

using std::chrono::microseconds;
constexpr microseconds machine_answers_within = std::chrono::seconds(25);
constexpr microseconds person_answers_within = std::chrono::minutes(2);

struct CredsDelete {
    void operator()(sd_bus_creds* creds) const { sd_bus_creds_unref(creds); }
};

Result<uid_t> uid_of_sender(sd_bus_message* call) {
    sd_bus_creds* raw = nullptr;
    const int queried = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &raw);
    const std::unique_ptr<sd_bus_creds, CredsDelete> creds(raw);
    uid_t uid = 0;
    if (queried < 0 || sd_bus_creds_get_euid(creds.get(), &uid) < 0)
        return fail(Errc::not_permitted, "the bus does not say who is calling, so nothing is done");
    return uid;
}

std::string name_of(uid_t uid) {
    const passwd* entry = getpwuid(uid);
    return "uid:" + std::to_string(uid) + (entry != nullptr ? " " + utf8(entry->pw_name) : "");
}

Status refused(const std::string& by, std::string_view action, bool challenge) {
    return fail(Errc::not_permitted, "not permitted for " + by + ": polkit action " + std::string(action) +
                                         (challenge ? " needs a password, and the call does not allow asking for one" : "") +
                                         ". Ask as root or as a member of group orchd");
}

// (bba{ss}): authorised, challenge, details.
Status read_answer(sd_bus_message* answer, const std::string& by, std::string_view action) {
    if (const sd_bus_error* error = sd_bus_message_get_error(answer); error != nullptr)
        return fail(Errc::not_permitted, "polkit does not answer (" +
                                             utf8(error->message != nullptr ? error->message : error->name) +
                                             "), so nothing is done; root needs no answer of its");
    int authorised = 0;
    int challenge = 0;
    auto entered = checked(sd_bus_message_enter_container(answer, SD_BUS_TYPE_STRUCT, "bba{ss}"), "reading polkit's answer");
    if (!entered) return entered;
    auto read = checked(sd_bus_message_read(answer, "bb", &authorised, &challenge), "reading polkit's answer");
    if (!read) return read;
    return authorised != 0 ? Status() : refused(by, action, challenge != 0);
}

}  // namespace

void Authority::ask(sd_bus_message* call, std::string_view action, Done done) {
    const auto uid = uid_of_sender(call);
    if (!uid) return done(fail(uid.error()));
    auto by = name_of(*uid);
    if (*uid == 0) return done(std::move(by));
    questions_.push_back({*this, host::Message(sd_bus_message_ref(call)), action, std::move(by), std::move(done), nullptr});
    if (auto sent = send(questions_.back()); !sent) {
        const Question question = std::move(questions_.back());
        questions_.pop_back();
        question.done(fail(sent.error()));
    }
}

Status Authority::send(Question& question) {
    sd_bus_message* raw = nullptr;
    auto made = checked(
        sd_bus_message_new_method_call(&bus_, &raw, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                       "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization"),
        "asking polkit");
    const host::Message request(raw);
    if (!made) return made;
    const bool may_ask_person = sd_bus_message_get_allow_interactive_authorization(question.call.get()) > 0;
    constexpr unsigned allow_user_interaction = 1;
    auto filled =
        checked(sd_bus_message_append(raw, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                      sd_bus_message_get_sender(question.call.get()), std::string(question.action).c_str(), 0,
                                      may_ask_person ? allow_user_interaction : 0, ""),
                "asking polkit");
    if (!filled) return filled;
    sd_bus_slot* slot = nullptr;
    const auto timeout = may_ask_person ? person_answers_within : machine_answers_within;
    auto sent = checked(
        sd_bus_call_async(&bus_, &slot, raw, &Authority::answered, &question, static_cast<std::uint64_t>(timeout.count())),
        "asking polkit");
    question.slot.reset(slot);
    return sent;
}

int Authority::answered(sd_bus_message* answer, void* question, sd_bus_error*) {
    auto& asked = *static_cast<Question*>(question);
    auto& questions = asked.authority.questions_;
    const auto at = std::find_if(questions.begin(), questions.end(), [&](const Question& q) { return &q == &asked; });
    std::list<Question> settled;
    settled.splice(settled.end(), questions, at);
    const auto allowed = read_answer(answer, asked.by, asked.action);
    asked.done(allowed ? Result<std::string>(asked.by) : fail(allowed.error()));
    return 1;
}

}  // namespace orchd::control
