// The event queue alone, in the hold model: each step pops the earliest event and pushes one at a
// random time after it, so that the number of pending events stays the same.
#include <benchmark/benchmark.h>

#include <queue>
#include <vector>

#include "sim/engine/event_queue.h"
#include "sim/engine/random.h"

namespace sim {
namespace {

void DoNothing(void*, uint64_t) {}

// The same events in std::priority_queue: the yardstick.
class StandardQueue {
 public:
  void Push(Nanos at) { queue_.push({at, EventId{next_id_++}, {}, DoNothing, nullptr, 0}); }
  Event PopEarliest() {
    const Event event = queue_.top();
    queue_.pop();
    return event;
  }

 private:
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.id > b.id;
    }
  };
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
  uint32_t next_id_ = 0;
};

class OurQueue {
 public:
  void Push(Nanos at) { queue_.Push(at, DoNothing, nullptr, 0); }
  Event PopEarliest() { return queue_.PopEarliest(); }

 private:
  EventQueue queue_;
};

// Delays are drawn beforehand: the generator is not what is measured.
std::vector<Nanos> Delays() {
  RandomStream random(1, "delays");
  std::vector<Nanos> delays(1 << 14);
  for (Nanos& delay : delays) delay = random.UniformIn(0, 1 << 30);
  return delays;
}

template <class Queue>
void BM_Hold(benchmark::State& state) {
  const std::vector<Nanos> delays = Delays();
  Queue queue;
  size_t i = 0;
  for (int64_t pending = 0; pending < state.range(0); ++pending) {
    queue.Push(delays[++i % delays.size()]);
  }
  // Until the ages of the events are those of the steady state.
  for (int64_t step = 0; step < 2 * state.range(0); ++step) {
    queue.Push(queue.PopEarliest().at + delays[++i % delays.size()]);
  }
  for (auto _ : state) {
    const Event event = queue.PopEarliest();
    event();
    queue.Push(event.at + delays[++i % delays.size()]);
  }
}
BENCHMARK(BM_Hold<StandardQueue>)
    ->Name("hold/std::priority_queue")
    ->Arg(4)
    ->Arg(20)
    ->Arg(100)
    ->Arg(10000)
    ->Arg(1000000);
BENCHMARK(BM_Hold<OurQueue>)
    ->Name("hold/EventQueue")
    ->Arg(4)
    ->Arg(20)
    ->Arg(100)
    ->Arg(10000)
    ->Arg(1000000);

// A strategy lists what is pending and takes one of them at random.
void BM_ListAndPopAny(benchmark::State& state) {
  RandomStream random(1, "schedule");
  EventQueue queue;
  std::vector<Event> pending;
  for (int64_t i = 0; i < state.range(0); ++i) {
    queue.Push(static_cast<Nanos>(random.UniformBelow(1000)), DoNothing, nullptr, 0);
  }
  for (auto _ : state) {
    queue.ListPending(pending);
    const Event event = queue.Pop(pending[random.UniformBelow(pending.size())].id);
    queue.Push(event.at + static_cast<Nanos>(random.UniformBelow(1000)), DoNothing, nullptr, 0);
  }
}
BENCHMARK(BM_ListAndPopAny)->Name("list_and_pop_any/EventQueue")->Arg(4)->Arg(20);

// A timeout that is set and cancelled while others are pending.
void BM_PushAndCancel(benchmark::State& state) {
  RandomStream random(1, "timeouts");
  EventQueue queue;
  for (int64_t i = 0; i < state.range(0); ++i) {
    queue.Push(static_cast<Nanos>(random.UniformBelow(1000)), DoNothing, nullptr, 0);
  }
  for (auto _ : state) {
    const EventId id = queue.Push(500, DoNothing, nullptr, 0);
    benchmark::DoNotOptimize(queue.Cancel(id));
  }
}
BENCHMARK(BM_PushAndCancel)->Name("push_and_cancel/EventQueue")->Arg(4)->Arg(10000);

}  // namespace
}  // namespace sim
