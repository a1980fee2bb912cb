#include "sim/locking/rwsem.h"

#include "sim/locking/percpu_rwsem.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RwSemTest : public LockingTest {
 protected:
  void DownRead(const std::string& actor) {
    Do(actor, [this] { rwsem_.down_read(); });
  }
  void DownWrite(const std::string& actor) {
    Do(actor, [this] { rwsem_.down_write(); });
  }
  void UpRead(const std::string& actor) {
    Do(actor, [this] { rwsem_.up_read(); });
  }
  void UpWrite(const std::string& actor) {
    Do(actor, [this] { rwsem_.up_write(); });
  }
  void ExpectParked(std::vector<std::string> parked) {
    Check([this, parked = std::move(parked)] { EXPECT_EQ(Parked(), parked); });
  }

  RwSem rwsem_{world_, tracker_.Class("i_data_sem"), {"inode", 12}};
};

TEST_F(RwSemTest, ReadersShare) {
  DownRead("reader");
  DownRead("other reader");
  ExpectParked({});
  UpRead("reader");
  UpRead("other reader");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_FALSE(rwsem_.is_locked());
}

TEST_F(RwSemTest, WriterWaitsForEveryReader) {
  DownRead("reader");
  DownRead("other reader");
  DownWrite("writer");
  UpRead("other reader");
  ExpectParked({"writer"});
  UpRead("reader");
  ExpectParked({});
  Do("writer", [this] { EXPECT_TRUE(rwsem_.held_exclusive()); });
  UpWrite("writer");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

// Why a recursive down_read() can deadlock although readers share.
TEST_F(RwSemTest, QueuedWriterBlocksLaterReader) {
  DownRead("reader");
  DownWrite("writer");
  DownRead("late reader");
  ExpectParked({"writer", "late reader"});
  UpRead("reader");
  ExpectParked({"late reader"});
  UpWrite("writer");
  UpRead("late reader");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(RwSemTest, ReadTakenTwiceAroundAQueuedWriterDeadlocks) {
  DownRead("reader");
  DownWrite("writer");
  DownRead("reader");
  EXPECT_EQ(Play(), ExecutionEnd::kDeadlock);
  EXPECT_THAT(rwsem_.Owners(), ElementsAre(TaskId{0}));
}

TEST_F(RwSemTest, ReadersUpToTheNextWriterAreLetInTogether) {
  DownWrite("writer");
  DownRead("a");
  DownRead("b");
  DownWrite("next writer");
  DownRead("c");
  UpWrite("writer");
  ExpectParked({"next writer", "c"});
  UpRead("a");
  UpRead("b");
  ExpectParked({"c"});
  UpWrite("next writer");
  UpRead("c");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

// Whoever took it may be gone; anybody gives it up.
TEST_F(RwSemTest, HoldWithoutAnOwnerKeepsWritersOut) {
  DownRead("reader");
  Do("reader", [this] {
    rwsem_.release_owner();
    EXPECT_FALSE(rwsem_.held_shared());
  });
  DownWrite("writer");
  ExpectParked({"writer"});
  EXPECT_THAT(rwsem_.Owners(), testing::IsEmpty());
  Do("other", [this] { rwsem_.up_read_non_owner(); });
  ExpectParked({});
  UpWrite("writer");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_FALSE(rwsem_.is_locked());
}

TEST_F(RwSemTest, DowngradeLetsReadersInButNoWriter) {
  DownWrite("writer");
  DownRead("reader");
  DownWrite("next writer");
  Do("writer", [this] { rwsem_.downgrade_write(); });
  ExpectParked({"next writer"});
  Do("writer", [this] {
    EXPECT_TRUE(rwsem_.held_shared());
    EXPECT_FALSE(rwsem_.held_exclusive());
  });
  UpRead("writer");
  UpRead("reader");
  UpWrite("next writer");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), IsEmpty());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(RwSemTest, TrylocksFailInsteadOfWaiting) {
  DownRead("reader");
  Do("other", [this] {
    EXPECT_FALSE(rwsem_.down_write_trylock());
    EXPECT_TRUE(rwsem_.down_read_trylock());
  });
  UpRead("other");
  DownWrite("writer");
  Do("other", [this] { EXPECT_FALSE(rwsem_.down_read_trylock()); });
  UpRead("reader");
  UpWrite("writer");
  Do("other", [this] { EXPECT_TRUE(rwsem_.down_write_trylock()); });
  UpWrite("other");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(RwSemTest, ReleaseInTheWrongModeIsMisuse) {
  DownRead("reader");
  UpWrite("reader");
  Do("reader", [this] { rwsem_.downgrade_write(); });
  UpRead("reader");
  UpRead("reader");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(),
              ElementsAre("up_write() by a task that does not hold it exclusively: i_data_sem",
                          "downgrade_write() by a task that does not hold it exclusively: "
                          "i_data_sem",
                          "up_read() by a task that does not hold it shared: i_data_sem"));
}

TEST_F(RwSemTest, PercpuWriterWaitsForReadersAndHoldsBackLaterOnes) {
  PercpuRwSem writers(world_, tracker_.Class("s_writepages_rwsem"), {"super", 1});
  Do("reader", [&] { writers.percpu_down_read(); });
  Do("writer", [&] { writers.percpu_down_write(); });
  Do("late reader", [&] {
    EXPECT_FALSE(writers.percpu_down_read_trylock());
    writers.percpu_down_read();
  });
  ExpectParked({"writer", "late reader"});
  Do("reader", [&] { writers.percpu_up_read(); });
  Do("writer", [&] { writers.percpu_up_write(); });
  ExpectParked({});
  Do("late reader", [&] { writers.percpu_up_read(); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

}  // namespace
}  // namespace sim
