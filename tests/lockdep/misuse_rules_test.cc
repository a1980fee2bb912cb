// Rules about single locks and contexts, not about their order.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/lock_program.h"
#include "sim/lockdep/reclaim.h"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MisuseRulesTest : public testing::Test, public LockStory {
 protected:
  void Pin(const std::string& task, const std::string& lock) {
    const Acquisition at = Lock(lock);
    validator.Pin(Task(task), at.lock_class, at.instance, at.at);
  }
  void Unpin(const std::string& task, const std::string& lock) {
    const Acquisition at = Lock(lock);
    validator.Unpin(Task(task), at.lock_class, at.instance, at.at);
  }
  void Reclass(const std::string& task, const std::string& lock, const std::string& to) {
    const Acquisition at = Lock(lock);
    validator.SetClass(Task(task), Lock(to).lock_class, Lock(to).subclass, at.instance, at.at);
  }
  std::vector<std::string> Headlines() const {
    std::vector<std::string> headlines;
    for (const LockReport& report : validator.reports()) headlines.push_back(Headline(report));
    return headlines;
  }
};

TEST_F(MisuseRulesTest, PinnedLockMustNotBeReleased) {
  Take("task", "rq");
  Pin("task", "rq");
  Pin("task", "rq");
  Unpin("task", "rq");
  EXPECT_THAT(Headlines(), IsEmpty());
  Drop("task", "rq");
  EXPECT_THAT(Headlines(), ElementsAre("WARNING: releasing a pinned lock"));
}

TEST_F(MisuseRulesTest, PinSurvivesTheReleaseOfALockBelow) {
  Take("task", "outer");
  Take("task", "rq");
  Pin("task", "rq");
  Drop("task", "outer");
  Unpin("task", "rq");
  Drop("task", "rq");
  EXPECT_THAT(Headlines(), IsEmpty());
}

TEST_F(MisuseRulesTest, OnlyAPinnedLockIsUnpinned) {
  Take("task", "rq");
  Unpin("task", "rq");
  Drop("task", "rq");
  Pin("task", "rq");
  Unpin("task", "rq");
  EXPECT_THAT(Headlines(),
              ElementsAre("WARNING: unpinning an unpinned lock", "WARNING: pinning an unheld lock",
                          "WARNING: unpinning an unheld lock"));
}

TEST_F(MisuseRulesTest, ReclassedLockOrdersAsItsNewClass) {
  Take("writer", "dir");
  Reclass("writer", "dir", "orphan dir");
  Nest("writer", {"journal"});
  Drop("writer", "dir");
  Nest("other", {"journal", "dir"});
  EXPECT_THAT(Found(), IsEmpty());
  Nest("other", {"journal", "orphan dir"});
  EXPECT_THAT(Found(), ElementsAre("journal --> orphan dir --> journal"));
}

TEST_F(MisuseRulesTest, ReclassingALockThatIsNotHeldIsReported) {
  Reclass("task", "dir", "orphan dir");
  EXPECT_THAT(Headlines(), ElementsAre("WARNING: bad unlock balance detected!"));
}

TEST_F(MisuseRulesTest, ReturningToUserSpaceWithALockHeldIsReported) {
  validator.CheckNoneHeld(Task("init"), {}, ReportKind::kHeldInUserSpace);
  EXPECT_THAT(Headlines(), IsEmpty());
  Take("init", "A");
  validator.CheckNoneHeld(Task("init"), {}, ReportKind::kHeldInUserSpace);
  EXPECT_THAT(Headlines(), ElementsAre("WARNING: lock held when returning to user space!"));
}

TEST(ReclaimScopesTest, FsReclaimNeedsGfpFsAndNoScope) {
  ReclaimScopes scopes;
  EXPECT_TRUE(scopes.MayReclaimFs(Gfp::kKernel));
  for (Gfp gfp : {Gfp::kNoFs, Gfp::kNoIo, Gfp::kAtomic}) EXPECT_FALSE(scopes.MayReclaimFs(gfp));
  EXPECT_FALSE(ReclaimScopes{.nofs = 1}.MayReclaimFs(Gfp::kKernel));
  EXPECT_FALSE(ReclaimScopes{.noio = 1}.MayReclaimFs(Gfp::kKernel));
  EXPECT_FALSE(ReclaimScopes{.in_reclaim = 1}.MayReclaimFs(Gfp::kKernel));
}

// Programs of one thread in the table's form.
class ProgramTest : public testing::Test {
 protected:
  // The first report's headline, or "no report".
  static std::string Says(const std::string& ops) {
    const auto table = nlohmann::ordered_json::parse(
        R"({"tests": [{"locks": {"ctx.t": "ww", "ctx.x": "other ww", "ww.a": "ww", "ww.b": "ww"},
            "threads": [{"thread": "T0", "ops": [)" +
        ops + "]}]}]}");
    const auto verdicts = RunLockPrograms(table);
    EXPECT_TRUE(verdicts.ok()) << verdicts.status();
    EXPECT_EQ(verdicts->front().inexpressible, "");
    const auto& reports = verdicts->front().reports;
    return reports.empty() ? "no report" : Headline(reports.front());
  }
  static std::string Ctx(const std::string& op, const std::string& ctx = "t") {
    return R"({"op": "ww_ctx_)" + op + R"(", "ctx": "ctx.)" + ctx + "\"}, ";
  }
  static std::string Ww(const std::string& op, const std::string& lock,
                        const std::string& result = "ok", const std::string& ctx = "t") {
    return R"({"op": "ww_)" + op + R"(", "lock": "ww.)" + lock +
           R"(", "kind": "ww", "nest": "ctx.)" + ctx + R"(", "result": ")" + result + "\"}, ";
  }
  static std::string Unlock(const std::string& lock) {
    return R"({"op": "unlock", "lock": "ww.)" + lock + R"(", "kind": "ww"}, )";
  }
  static std::string Simple(const std::string& op) { return "{\"op\": \"" + op + "\"}, "; }
  static std::string Alloc(const std::string& gfp) {
    return R"({"op": "might_alloc", "gfp": ")" + gfp + "\"}, ";
  }
  static std::string Reclaim(const std::string& op) {
    return "{\"op\": \"" + op + R"(", "lock": "fs_reclaim", "kind": "map"}, )";
  }
  const std::string end_ = R"({"op": "task_exit"})";
};

TEST_F(ProgramTest, AWoundWaitContextFromBeginToEndIsClean) {
  EXPECT_EQ(Says(Ctx("init") + Ww("lock", "a") + Ww("lock", "b", "EDEADLK") + Unlock("a") +
                 Ww("lock_slow", "b") + Ww("lock", "a") + Ctx("done") + Unlock("a") + Unlock("b") +
                 Ctx("fini") + end_),
            "no report");
}

TEST_F(ProgramTest, AContextThatIsDoneTakesNoLock) {
  EXPECT_EQ(Says(Ctx("init") + Ctx("done") + Ww("lock", "a") + end_),
            "DEBUG_LOCKS_WARN_ON(ww_ctx->done_acquire)");
  EXPECT_EQ(Says(Ctx("init") + Ctx("done") + Ctx("done") + end_),
            "DEBUG_LOCKS_WARN_ON(ctx->done_acquire)");
}

TEST_F(ProgramTest, ARefusedContextGivesAllBackAndTakesTheContendingLockFirst) {
  const std::string refused = Ctx("init") + Ww("lock", "a") + Ww("lock", "b", "EDEADLK");
  EXPECT_EQ(Says(refused + Ww("lock_slow", "b") + end_),
            "DEBUG_LOCKS_WARN_ON(ww_ctx->acquired > 0)");
  EXPECT_EQ(Says(refused + Ww("lock", "c") + end_),
            "DEBUG_LOCKS_WARN_ON(ww_ctx->contending_lock != ww)");
  EXPECT_EQ(Says(Ctx("init") + Ww("lock_slow", "a") + end_),
            "DEBUG_LOCKS_WARN_ON(!ctx->contending_lock)");
}

TEST_F(ProgramTest, ContextAndLockAreOfOneClass) {
  EXPECT_EQ(Says(Ctx("init", "x") + Ww("lock", "a", "ok", "x") + end_),
            "DEBUG_LOCKS_WARN_ON(ww_ctx->ww_class != ww->ww_class)");
}

TEST_F(ProgramTest, OnlyFsReclaimMustNotRecurseIntoItself) {
  const auto within = [&](const std::string& ops) {
    return Says(Reclaim("lock") + ops + Reclaim("unlock") + end_);
  };
  EXPECT_EQ(within(Alloc("KERNEL")), "WARNING: possible recursive locking detected");
  EXPECT_EQ(within(Alloc("NOFS") + Alloc("GFP_ATOMIC")), "no report");
}

TEST_F(ProgramTest, NoFsScopesNest) {
  const auto within = [&](const std::string& ops) {
    return Says(Reclaim("lock") + ops + Reclaim("unlock") + end_);
  };
  EXPECT_EQ(within(Simple("nofs_save") + Simple("nofs_save") + Simple("nofs_restore") +
                   Alloc("KERNEL") + Simple("nofs_restore")),
            "no report");
  EXPECT_EQ(within(Simple("noio_save") + Alloc("KERNEL") + Simple("noio_restore")), "no report");
  EXPECT_EQ(within(Simple("nofs_save") + Simple("nofs_restore") + Alloc("KERNEL")),
            "WARNING: possible recursive locking detected");
}

}  // namespace
}  // namespace sim
