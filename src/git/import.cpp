// Taking in what a run left: a bundle file, which is hostile in every byte.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "core/shapes.h"
#include "git/mirror.h"
#include "host/fd.h"

namespace orchd::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_header = 64u << 10;
constexpr int most_packs = 32;

tl::unexpected<Error> unfit(const std::string& why) {
    return fail(Errc::invalid_argument, "the run's bundle is not fit: " + why);
}

Result<host::Fd> open_bundle(const std::string& file, std::uint64_t max_bytes) {
    // Not blocked by a FIFO, not led elsewhere by a link.
    host::Fd fd(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd.open() && errno == ENOENT) return fail(Errc::no_such, "the run left no bundle");
    if (!fd.open() && (errno == ELOOP || errno == ENXIO)) return unfit("it is no regular file");
    if (!fd.open()) return fail(Errc::io, file + ": " + std::strerror(errno));
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return fail(Errc::io, file + ": " + std::strerror(errno));
    if (!S_ISREG(st.st_mode)) return unfit("it is no regular file");
    if (static_cast<std::uint64_t>(st.st_size) > max_bytes)
        return unfit("it has " + std::to_string(st.st_size) + " bytes, more than " + std::to_string(max_bytes));
    return fd;
}

struct Header {
    std::vector<std::string> builds_on;  // commits that must be here already
    std::string commit;                  // of the branch asked for
    std::size_t length = 0;              // where the pack begins
};

// gitformat-bundle(5): a signature line, "-OID comment" lines, "OID REFERENCE" lines, an empty line, a pack.
Result<Header> parse(std::string_view text, const std::string& reference) {
    Header header;
    const auto next_line = [&]() -> std::optional<std::string_view> {
        const auto end = text.find('\n', header.length);
        if (end == text.npos) return std::nullopt;
        const auto line = text.substr(header.length, end - header.length);
        header.length = end + 1;
        return line;
    };
    if (next_line() != "# v2 git bundle") return unfit("it does not begin as a bundle of version 2");
    for (auto line = next_line(); line; line = next_line()) {
        if (line->empty()) {
            if (header.commit.empty()) return unfit("it does not hold " + reference);
            return header;
        }
        const bool needed = line->front() == '-';
        if (needed) line->remove_prefix(1);
        const std::string oid(line->substr(0, line->find(' ')));
        if (!is_commit_id(oid)) return unfit("a line of its header begins with no object id");
        if (needed) header.builds_on.push_back(oid);
        if (!needed && line->substr(oid.size()) == ' ' + reference) header.commit = oid;
    }
    return unfit("its header does not end");
}

Result<std::string> read_start(int fd) {
    std::string text(largest_header, '\0');
    const auto n = ::pread(fd, text.data(), text.size(), 0);
    if (n < 0) return fail(Errc::io, std::string("reading the run's bundle: ") + std::strerror(errno));
    text.resize(static_cast<std::size_t>(n));
    return text;
}

// Each bundle is a pack, and each call of git looks through all of them: many small ones become one. Nothing is taken away: who
// reads meanwhile, as runs do that borrow objects, finds them in their new place. Where it cannot be done now, the next import
// tries again.
void gather_packs(const Repository& mirror) {
    const auto many = [&] {
        int packs = 0;
        std::error_code ignored;
        for (fs::directory_iterator at(mirror.path + "/objects/pack", ignored), end; at != end; at.increment(ignored))
            if (at->path().extension() == ".pack") ++packs;
        return packs > most_packs;
    };
    if (!many()) return;
    const auto lock = mirror.lock_for_writing();
    if (lock && many()) (void)output(mirror.call({"repack", "--quiet", "-d", "--geometric=2"}));
}

// Trouble of this host's, which says nothing about the bundle.
bool host_trouble(const std::string& words) {
    // What a call of the system can fail with here, whatever is in the bundle: git says so by its name. The mirror belongs to
    // somebody else, is not there, or there is no more of something.
    for (const int error : std::array{EACCES, EPERM, EROFS, ENOENT, ENOTDIR, ELOOP, ENOSPC, EDQUOT, EFBIG, EIO, ESTALE, ENOMEM,
                                      EAGAIN, EMFILE, ENFILE})
        if (words.find(std::strerror(error)) != words.npos) return true;
    return words.find("ut of memory") != words.npos;
}

}  // namespace

Result<std::string> DiskMirror::import_bundle(const std::string& file, const std::string& branch, std::uint64_t max_bytes) {
    if (auto ok = check_branch(branch); !ok) return fail(ok.error());
    const auto fd = open_bundle(file, max_bytes);
    if (!fd) return fail(fd.error());
    const auto start = read_start(fd->get());
    if (!start) return fail(start.error());
    const auto header = parse(*start, "refs/heads/" + branch);
    if (!header) return fail(header.error());
    for (const auto& commit : header->builds_on) {
        const auto known = repository_.has_commit(commit);
        if (!known) return fail(known.error());
        if (!*known) return unfit("it builds on " + commit + ", which is not here");
    }
    gather_packs(repository_);
    ::lseek(fd->get(), static_cast<off_t>(header->length), SEEK_SET);
    // --strict checks every object and that none refers to what is missing; nothing is kept of a pack that fails.
    auto index =
        repository_.call({"index-pack", "--stdin", "--fix-thin", "--strict", "--max-input-size=" + std::to_string(max_bytes)});
    index.input_fd = fd->get();
    const auto answer = call(index);
    if (!answer) return fail(answer.error());
    if (answer->status != 0 && host_trouble(answer->words)) return fail(refused(index, *answer));
    if (answer->status != 0) return unfit(answer->words);
    const auto commit = repository_.commit_of(header->commit);
    if (!commit) return fail(commit.error());
    if (*commit != header->commit) return unfit(header->commit + " is no commit");
    return header->commit;
}

}  // namespace orchd::git
