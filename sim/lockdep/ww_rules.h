// The rules of wound/wait mutexes that need no lock graph: what CONFIG_DEBUG_WW_MUTEX checks
// [include/linux/ww_mutex.h, kernel/locking/ww_mutex.h, Documentation/locking/ww-mutex-design.rst].
//
// An acquire context counts the locks taken under it. Once it is done it takes no more. When one of
// its locks is refused (EDEADLK) it must give back all others and then take that one first, the
// contending lock. Context and lock are of one class. A lock knows its context from its acquisition
// to ww_mutex_unlock().
//
// Each call returns the first check that fails, as the kernel words it; empty: all is well.
// Not modelled: stamps, wounding and waiting. Who is refused is the caller's to say.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sim {

class WwRules {
 public:
  void ww_acquire_init(const std::string& ctx, const std::string& ww_class);
  std::string_view ww_acquire_done(const std::string& ctx);
  std::string_view ww_acquire_fini(const std::string& ctx);

  // `ww` was taken under `ctx`.
  std::string_view ww_mutex_lock_acquired(const std::string& ww, const std::string& ww_class,
                                          const std::string& ctx);
  // `ctx` was refused `ww`: EDEADLK.
  std::string_view ww_mutex_kill(const std::string& ww, const std::string& ctx);
  // Before the wait of ww_mutex_lock_slow().
  std::string_view ww_mutex_lock_slow(const std::string& ctx);
  std::string_view ww_mutex_unlock(const std::string& ww);

  // For tests of the interface: "t.acquired = 0", "o2.owner_ctx = t2", "t.ww_class = none",
  // "t2 = copy of t ...", "copy ctx t to t2 ...", where t stands for "ctx.t" and o2 for "ww.o2".
  // False: not of such a form.
  [[nodiscard]] bool Poke(const std::string& what);

 private:
  struct Context {
    std::string ww_class;
    int acquired = 0;
    bool done_acquire = false;
    std::string contending_lock;  // empty: none
  };

  bool Assign(const std::string& object, std::string_view field, const std::string& value);

  std::map<std::string, Context> contexts_;
  std::map<std::string, std::string> owner_ctx_;  // by lock
};

}  // namespace sim
