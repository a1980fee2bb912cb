#include "model/program/expression.h"

#include <array>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace model {

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, absl::FunctionRef<int(std::string_view)> register_of)
      : text_(text), register_of_(register_of) {}

  absl::StatusOr<Expression> Parse() {
    out_.steps_.clear();
    Comparison();
    if (error_.empty() && !Rest().empty())
      Fail(absl::StrCat("unexpected \"", Quoted(Rest()), "\""));
    if (!error_.empty()) return absl::InvalidArgumentError(error_);
    return std::move(out_);
  }

 private:
  using Kind = Expression::Kind;
  struct Operator {
    std::string_view text;
    Kind kind;
  };
  static constexpr std::array<Operator, 6> kComparisons = {{{"==", Kind::kEqual},
                                                            {"!=", Kind::kUnequal},
                                                            {"<=", Kind::kLessOrEqual},
                                                            {">=", Kind::kGreaterOrEqual},
                                                            {"<", Kind::kLess},
                                                            {">", Kind::kGreater}}};
  static constexpr std::array<Operator, 2> kSums = {{{"+", Kind::kPlus}, {"-", Kind::kMinus}}};
  static constexpr std::array<Operator, 2> kProducts = {
      {{"*", Kind::kTimes}, {"%", Kind::kModulo}}};

  void Comparison() {
    Sum();
    for (const Operator& op : kComparisons) {
      if (!Take(op.text)) continue;
      Sum();
      return Push({op.kind}, -1);
    }
  }
  void Sum() {
    Chain(kSums, [this] { Product(); });
  }
  void Product() {
    Chain(kProducts, [this] { Atom(); });
  }
  template <size_t n, class Operand>
  void Chain(const std::array<Operator, n>& operators, Operand operand) {
    operand();
    for (bool more = true; more && error_.empty();) {
      more = false;
      for (const Operator& op : operators) {
        if (!Take(op.text)) continue;
        operand();
        Push({op.kind}, -1);
        more = true;
      }
    }
  }
  void Atom() {
    if (!error_.empty()) return;
    if (Take("(")) {
      if (++depth_ > Expression::kMaxStack) return Fail("too deeply nested");
      Comparison();
      --depth_;
      if (!Take(")")) Fail("want a \")\"");
      return;
    }
    const std::string_view rest = Rest();
    size_t end = !rest.empty() && rest[0] == '-' ? 1 : 0;
    while (end < rest.size() &&
           (absl::ascii_isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '_')) {
      ++end;
    }
    const std::string word(rest.substr(0, end));
    text_ = rest.substr(end);
    int64_t value = 0;
    if (absl::SimpleAtoi(word, &value)) return Push({Kind::kConstant, value}, 1);
    const int number = register_of_(word);
    if (number >= 0) return Push({Kind::kRegister, number}, 1);
    Fail(word.empty() ? "want a number or a register"
                      : absl::StrCat("no register \"", Quoted(word), "\" is set before"));
  }

  std::string_view Rest() {
    while (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
    return text_;
  }
  bool Take(std::string_view token) {
    if (!error_.empty() || !Rest().starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void Push(Expression::Step step, int growth) {
    out_.steps_.push_back(step);
    height_ += growth;
    if (height_ > Expression::kMaxStack) Fail("too many operands at once");
  }
  void Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }
  static std::string Quoted(std::string_view text) { return std::string(text.substr(0, 40)); }

  std::string_view text_;
  absl::FunctionRef<int(std::string_view)> register_of_;
  Expression out_;
  std::string error_;
  int height_ = 0;  // of the stack when it is evaluated
  int depth_ = 0;   // of parentheses
};

absl::StatusOr<Expression> Expression::Parse(std::string_view text,
                                             absl::FunctionRef<int(std::string_view)> register_of) {
  return ExpressionParser(text, register_of).Parse();
}

int64_t Expression::Apply(Kind kind, int64_t a, int64_t b) {
  const auto wrapped = [](uint64_t value) { return static_cast<int64_t>(value); };
  const auto x = static_cast<uint64_t>(a);
  const auto y = static_cast<uint64_t>(b);
  switch (kind) {
    case Kind::kTimes:
      return wrapped(x * y);
    case Kind::kModulo:
      return b == 0 || b == -1 ? 0 : a % b;
    case Kind::kPlus:
      return wrapped(x + y);
    case Kind::kMinus:
      return wrapped(x - y);
    case Kind::kEqual:
      return a == b;
    case Kind::kUnequal:
      return a != b;
    case Kind::kLess:
      return a < b;
    case Kind::kLessOrEqual:
      return a <= b;
    case Kind::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

int64_t Expression::Evaluate(std::span<const int64_t> registers) const {
  std::array<int64_t, kMaxStack + 1> stack;
  size_t height = 0;
  for (const Step& step : steps_) {
    if (step.kind == Kind::kConstant) {
      stack[height++] = step.value;
    } else if (step.kind == Kind::kRegister) {
      stack[height++] = registers[static_cast<size_t>(step.value)];
    } else {
      --height;
      stack[height - 1] = Apply(step.kind, stack[height - 1], stack[height]);
    }
  }
  return stack[0];
}

}  // namespace model
