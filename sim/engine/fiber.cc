#include "sim/engine/fiber.h"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>

#include "sim/check.h"

#ifdef SIM_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace sim {
namespace {

constexpr size_t kGuardBytes = 4096;
constexpr int kStacksPerRegion = 16;

using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

void StartSwitch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                 [[maybe_unused]] size_t size_bytes) {
#ifdef SIM_FIBER_ASAN
  __sanitizer_start_switch_fiber(fake_stack, bottom, size_bytes);
#endif
}

void FinishSwitch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
                  [[maybe_unused]] size_t* old_size_bytes) {
#ifdef SIM_FIBER_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_size_bytes);
#endif
}

// The lowest usable byte of the stack below `owner`.
std::byte* BottomOf(std::byte* owner) {
  return owner - reinterpret_cast<uintptr_t>(owner) % kSlotBytes + kGuardBytes;
}

// A stack's last frames never return, so what they poisoned stays so.
void Unpoison([[maybe_unused]] std::byte* owner) {
#ifdef SIM_FIBER_ASAN
  __asan_unpoison_memory_region(BottomOf(owner), owner - BottomOf(owner) + kOwnerBytes);
#endif
}

}  // namespace

StackPool::~StackPool() {
  for (const Region& region : regions_) munmap(region.start, region.size_bytes);
}

std::byte* StackPool::Acquire() {
  if (free_.empty()) {
    const size_t size_bytes = (kStacksPerRegion + 1) * kSlotBytes;  // one more, to align
    void* start = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SIM_CHECK(start != MAP_FAILED);
    regions_.push_back({start, size_bytes});
    const uintptr_t first = reinterpret_cast<uintptr_t>(start) / kSlotBytes + 1;
    for (uintptr_t slot = first + kStacksPerRegion; slot-- > first;) {
      SIM_CHECK(mprotect(reinterpret_cast<void*>(slot * kSlotBytes), kGuardBytes, PROT_NONE) == 0);
      free_.push_back(Fiber::OwnerIn(slot));
    }
  }
  std::byte* owner = free_.back();
  free_.pop_back();
  return owner;
}

void StackPool::Release(std::byte* owner) {
  Unpoison(owner);
  free_.push_back(owner);
}

struct FiberSwitch {
  // First code on a new stack.
  [[noreturn]] static void Enter(transfer_t from) {
    auto& came_from = *static_cast<Fiber*>(from.data);
    came_from.context_ = from.fctx;
    FinishSwitch(nullptr, &came_from.stack_bottom_, &came_from.stack_bytes_);
    Fiber& self = *came_from.next_;
    self.entry_(Fiber::RunningOwner());
    SIM_CHECK(false);  // an entry ends with SwitchAwayForever()
  }
};

Fiber::Fiber(std::byte* owner, void (*entry)(void* owner))
    : entry_(entry),
      stack_bottom_(BottomOf(owner)),
      stack_bytes_(static_cast<size_t>(owner - BottomOf(owner))) {
  context_ = make_fcontext(owner, stack_bytes_, FiberSwitch::Enter);
}

void Fiber::SwitchTo(Fiber& next) {
  next_ = &next;
  StartSwitch(&fake_stack_, next.stack_bottom_, next.stack_bytes_);
  const transfer_t from = jump_fcontext(next.context_, this);
  static_cast<Fiber*>(from.data)->context_ = from.fctx;
  FinishSwitch(fake_stack_, nullptr, nullptr);
  if (unwinding_) throw FiberUnwind();
}

void Fiber::SwitchAwayForever(Fiber& next) {
  next_ = &next;
  StartSwitch(nullptr, next.stack_bottom_, next.stack_bytes_);
  jump_fcontext(next.context_, this);
  SIM_CHECK(false);  // nobody switches back
  __builtin_unreachable();
}

void Fiber::UnwindFrom(Fiber& from) {
  unwinding_ = true;
  from.SwitchTo(*this);
}

}  // namespace sim
