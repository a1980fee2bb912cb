// One line of ftrace text, or of the table form, taken apart. Any bytes may come.

#include "tools/import/ftrace.h"
#include "tools/import/words.h"

namespace tools {
namespace {

bool Address(std::string_view text, uint64_t& address) {
  if (text.substr(0, 2) == "0x") text.remove_prefix(2);
  return Number(text, address, 16);
}

// "kworker/u4:0-8", "wl-59 (  59)": the pid follows the last hyphen.
bool Thread(std::string_view text, std::string_view& comm, uint64_t& pid) {
  text = Trim(text);
  if (!text.empty() && text.back() == ')') text = Trim(text.substr(0, text.rfind('(')));
  const size_t hyphen = text.rfind('-');
  if (hyphen == std::string_view::npos) return false;
  comm = text.substr(0, hyphen);
  return Number(text.substr(hyphen + 1), pid) && pid < UINT32_MAX;
}

// irqs-off/BH-disabled, need-resched, hardirq/softirq, ... [kernel/trace/trace_output.c]
sim::IrqState Flags(std::string_view flags) {
  sim::IrqState irq;
  const char off = flags[0], context = flags[2];
  irq.in_hardirq = context == 'h' || context == 'H' || context == 'z' || context == 'Z';
  irq.in_softirq = context == 's' || context == 'H';
  irq.hardirqs_on = off == '.' || off == 'b';
  irq.softirqs_on = off == '.' && !irq.in_softirq && !irq.in_hardirq;
  return irq;
}

constexpr sim::IrqState kUnknownIrq = {.hardirqs_on = false, .softirqs_on = false};

}  // namespace

FtraceImporter::Parsed FtraceImporter::Parse(std::string_view text, Line& line) {
  const std::string_view trimmed = Trim(text);
  if (trimmed.empty() || trimmed.front() == '#') return Parsed::kNothing;
  if (trimmed.find("LOST") != std::string_view::npos &&
      trimmed.find("EVENTS]") != std::string_view::npos) {
    return Parsed::kLost;
  }
  const bool is_table =
      text.find('\t') != std::string_view::npos && text[0] >= '0' && text[0] <= '9';
  return is_table ? ParseTable(text, line) : ParseText(text, line);
}

FtraceImporter::Parsed FtraceImporter::ParseText(std::string_view text, Line& line) {
  // The thread's name may hold anything, brackets too: the first "[digits]" after a pid counts.
  size_t open = text.find('[');
  size_t close = std::string_view::npos;
  for (; open != std::string_view::npos; open = text.find('[', open + 1)) {
    close = text.find(']', open);
    if (close == std::string_view::npos) return Parsed::kUnusable;
    if (Number(text.substr(open + 1, close - open - 1), line.cpu) &&
        Thread(text.substr(0, open), line.comm, line.pid)) {
      break;
    }
  }
  if (open == std::string_view::npos) return Parsed::kUnusable;
  std::string_view rest = text.substr(close + 1);
  std::string_view word = Word(rest);
  line.irq = kUnknownIrq;
  if (!word.empty() && word.back() != ':') {  // flags, which trace-cmd may leave out
    if (word.size() < 4 || word.size() > 8) return Parsed::kUnusable;
    line.irq = Flags(word);
    line.has_flags = true;
    word = Word(rest);
  }
  if (word.size() < 2 || word.back() != ':') return Parsed::kUnusable;  // the time
  const std::string_view event = Word(rest);
  if (event.size() < 2 || event.back() != ':') return Parsed::kUnusable;
  if (event == "lock_acquire:") line.verb = Verb::kAcquire;
  if (event == "lock_acquired:") line.verb = Verb::kAcquired;
  if (event == "lock_contended:") line.verb = Verb::kContended;
  if (event == "lock_release:") line.verb = Verb::kRelease;
  if (line.verb == Verb::kOther) return Parsed::kLine;
  if (!Address(Word(rest), line.address)) return Parsed::kUnusable;
  return ParseLock(rest, line) ? Parsed::kLine : Parsed::kUnusable;
}

// Fields of the name's line that begin with `key`, from the end; false: none.
static bool CutField(std::string_view& text, std::string_view key, std::string_view& value) {
  const size_t at = text.rfind(key);
  if (at == std::string_view::npos || at == 0 || !IsSpace(text[at - 1])) return false;
  value = text.substr(at + key.size());
  if (value.find(' ') != std::string_view::npos) return false;
  text = Trim(text.substr(0, at));
  return true;
}

bool FtraceImporter::ParseLock(std::string_view text, Line& line) {
  text = Trim(text);
  std::string_view value;
  if (CutField(text, "nest=", value) && !Address(value, line.nest)) return false;
  if (CutField(text, "read=", value) &&
      (!Number(value, line.read_level) || line.read_level < 0 || line.read_level > 2)) {
    return false;
  }
  if (CutField(text, "sub=", value) && (!Number(value, line.subclass) || line.subclass < 0 ||
                                        line.subclass >= static_cast<int>(sim::kMaxSubclasses))) {
    return false;
  }
  for (std::string_view rest = text; !text.empty(); text = Trim(rest)) {
    const std::string_view word = Word(rest);
    if (Trim(rest).empty() || (word != "try" && word != "read")) break;
    (word == "try" ? line.trylock : line.read) = true;
  }
  line.name = text;
  return !text.empty();
}

FtraceImporter::Parsed FtraceImporter::ParseTable(std::string_view text, Line& line) {
  std::string_view columns[6];
  for (size_t i = 0; i < 6; ++i) {
    const size_t tab = i < 5 ? text.find('\t') : text.size();
    columns[i] = text.substr(0, tab);
    text.remove_prefix(tab >= text.size() ? text.size() : tab + 1);
  }
  const auto& [sequence, thread, cpu, context, event, fields] = columns;
  uint64_t number = 0;
  if (!Number(sequence, number) || !Number(cpu, line.cpu)) return Parsed::kUnusable;
  if (!Thread(thread, line.comm, line.pid)) return Parsed::kUnusable;
  if (event == "lock_acquire") line.verb = Verb::kAcquire;
  if (event == "lock_acquired") line.verb = Verb::kAcquired;
  if (event == "lock_contended") line.verb = Verb::kContended;
  if (event == "lock_release") line.verb = Verb::kRelease;
  if (line.verb == Verb::kOther) return Parsed::kLine;
  line.has_flags = true;
  line.irq.in_hardirq = context.find("hardirq") != std::string_view::npos;
  line.irq.in_softirq = context.find("softirq") != std::string_view::npos;
  line.irq.hardirqs_on = context.find("irqoff") == std::string_view::npos && !line.irq.in_hardirq;
  line.irq.softirqs_on = false;  // the table does not tell
  // "<name> @<n>", then the fields that differ from their usual value.
  const size_t at = fields.rfind(" @");
  if (at == std::string_view::npos) return Parsed::kUnusable;
  std::string_view rest = fields.substr(at + 2);
  line.name = Trim(fields.substr(0, at));
  if (!Number(Word(rest), line.address) || line.name.empty()) return Parsed::kUnusable;
  ++line.address;  // 0 means no instance
  line.read_level = 0;
  line.subclass = 0;
  for (std::string_view word = Word(rest); !word.empty(); word = Word(rest)) {
    if (word == "try") line.trylock = true;
    if (word.substr(0, 5) == "read=" && !Number(word.substr(5), line.read_level)) {
      return Parsed::kUnusable;
    }
    if (word.substr(0, 4) == "sub=" && !Number(word.substr(4), line.subclass)) {
      return Parsed::kUnusable;
    }
  }
  const bool known = line.read_level >= 0 && line.read_level <= 2 && line.subclass >= 0 &&
                     line.subclass < static_cast<int>(sim::kMaxSubclasses);
  return known ? Parsed::kLine : Parsed::kUnusable;
}

}  // namespace tools
