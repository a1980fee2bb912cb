// Stackful fibers on pooled stacks, over Boost.Context's fcontext.
//
// The owner of a stack lies on top of it, and slots for stacks are aligned to their size, so that
// the owner of the running stack is found from the stack pointer alone, the way a kernel finds
// `current`: no thread-local, and any number of worlds can run side by side. A guard page below
// each stack turns an overflow into a fault.
//
// Where in its slot a stack begins differs from slot to slot. Otherwise all stacks would compete
// for the same few sets of the caches and of the TLB: with 100 sleeping tasks that doubles what a
// wake-up costs.
//
// AddressSanitizer is told of every switch. Its stacks are larger, since its frames are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SIM_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_FIBER_ASAN 1
#endif
#endif

namespace sim {

#ifdef SIM_FIBER_ASAN
inline constexpr size_t kSlotBytes = 1024 * 1024;
#else
inline constexpr size_t kSlotBytes = 128 * 1024;
#endif
// What an owner may take of its slot.
inline constexpr size_t kOwnerBytes = 384;

// Stacks for one thread's worlds; reused from execution to execution. Must outlive them.
class StackPool {
 public:
  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // Room for an owner, kOwnerBytes aligned to a cache line, on top of a stack of at least
  // kSlotBytes / 2 - kOwnerBytes; contents are unspecified.
  std::byte* Acquire();
  void Release(std::byte* owner);

 private:
  struct Region {
    void* start;
    size_t size_bytes;
  };
  std::vector<Region> regions_;
  std::vector<std::byte*> free_;
};

// Thrown through a fiber's frames to unwind them when its world ends before it does.
struct FiberUnwind {};

class Fiber {
 public:
  // The thread's own stack: what runs before the first switch.
  Fiber() = default;
  // Will call entry(owner) on the stack below `owner`, which comes from a StackPool, once switched
  // to; `entry` never returns, its last act is SwitchAwayForever().
  Fiber(std::byte* owner, void (*entry)(void* owner));
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Suspends this fiber, which must be the running one, and runs `next`; returns when somebody
  // switches back. Throws FiberUnwind instead if UnwindFrom() was called on it.
  void SwitchTo(Fiber& next);
  [[noreturn]] void SwitchAwayForever(Fiber& next);
  // Called on `from`: unwinds this suspended fiber; its entry ends with SwitchAwayForever(from).
  void UnwindFrom(Fiber& from);

  // The owner of the stack that this is called on; only on a fiber with a stack of its own.
  static void* RunningOwner() {
    return OwnerIn(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) / kSlotBytes);
  }

 private:
  friend class StackPool;
  friend struct FiberSwitch;  // the part that knows Boost.Context

  // Neighbours are one page and 17 cache lines apart, within half a slot.
  static constexpr size_t kStaggerBytes = 4096 + 17 * 64;

  static std::byte* OwnerIn(uintptr_t slot) {
    const uintptr_t stagger = slot * kStaggerBytes % (kSlotBytes / 2);
    return reinterpret_cast<std::byte*>((slot + 1) * kSlotBytes - stagger - kOwnerBytes);
  }

  void* context_ = nullptr;  // where a suspended fiber goes on
  void (*entry_)(void*) = nullptr;
  Fiber* next_ = nullptr;  // who was switched to last
  bool unwinding_ = false;
  // What AddressSanitizer wants to know.
  void* fake_stack_ = nullptr;
  const void* stack_bottom_ = nullptr;
  size_t stack_bytes_ = 0;
};

}  // namespace sim
