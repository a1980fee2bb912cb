// Arithmetic over a thread's own registers: "i + 1", "(7 * me + k) % 128", "v != 0".
//
// 64-bit integers that wrap around; x % 0 is 0; a comparison gives 1 or 0. By precedence: * and %,
// + and -, one of == != < <= > >=. Nothing here reads what threads share: that takes an operation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace model {

class Expression {
 public:
  Expression() : Expression(0) {}
  explicit Expression(int64_t value) : steps_{{Kind::kConstant, value}} {}

  // `register_of` gives the number of a name, below 0 for one that is not known. An error says what
  // was expected.
  static absl::StatusOr<Expression> Parse(std::string_view text,
                                          absl::FunctionRef<int(std::string_view)> register_of);

  int64_t Value(std::span<const int64_t> registers) const {
    if (steps_.size() == 1 && steps_[0].kind == Kind::kConstant) return steps_[0].value;
    return Evaluate(registers);
  }

  // Of constants and the first register alone.
  bool IsOfFirstRegister() const {
    return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) {
      return step.kind != Kind::kRegister || step.value == 0;
    });
  }

 private:
  friend class ExpressionParser;

  enum class Kind : uint8_t {
    kConstant,
    kRegister,
    kTimes,
    kModulo,
    kPlus,
    kMinus,
    kEqual,
    kUnequal,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
  };
  // In reverse Polish notation.
  struct Step {
    Kind kind = Kind::kConstant;
    int64_t value = 0;  // the constant, or the number of the register
  };
  static constexpr int kMaxStack = 16;

  static int64_t Apply(Kind kind, int64_t a, int64_t b);
  int64_t Evaluate(std::span<const int64_t> registers) const;

  std::vector<Step> steps_;
};

}  // namespace model
