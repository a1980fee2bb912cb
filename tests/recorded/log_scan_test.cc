// Recovery of a log put together byte by byte.
#include "model/recorded/log_scan.h"

#include <ext2fs/ext2fs.h>

#include <map>

#include "boost/endian/conversion.hpp"
#include "gmock/gmock.h"

namespace model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr uint32_t kBlock = 1024;
constexpr uint32_t kUnits = 2;  // of a block
constexpr uint64_t kJournal = 8;
constexpr uint32_t kJournalBlocks = 8;

// A device of blocks; each unit may hold what any version of its block has there.
class Disk : public UnitSets {
 public:
  explicit Disk(ContentTable& contents) : contents_(contents) {}

  // What was written last is the newest.
  void Put(uint64_t block, const std::string& bytes) {
    for (uint32_t i = 0; i < kUnits; ++i) {
      std::vector<ContentId>& unit = units_[block * kUnits + i];
      const ContentId content = contents_.Intern(std::string_view(bytes).substr(i * 512, 512));
      unit.erase(std::remove(unit.begin(), unit.end(), content), unit.end());
      unit.push_back(content);
    }
  }
  // Only what was written last is possible.
  void Flush() {
    for (auto& [unit, contents] : units_) contents.erase(contents.begin(), contents.end() - 1);
  }
  absl::Span<const ContentId> At(uint64_t unit) const override {
    const auto found = units_.find(unit);
    return found != units_.end() ? found->second : zero_;
  }

 private:
  ContentTable& contents_;
  std::vector<ContentId> zero_{contents_.Intern("")};
  std::map<uint64_t, std::vector<ContentId>> units_;
};

class LogScanTest : public testing::TestWithParam<LogSuperblock::Checksum> {
 protected:
  using Checksum = LogSuperblock::Checksum;

  LogScanTest() {
    place_.block_bytes = kBlock;
    place_.device_blocks = 64;
    for (uint32_t i = 0; i < kJournalBlocks; ++i) place_.blocks.push_back(kJournal + i);
    PutFileSystem(/*needs_recovery=*/true);
    PutLogSuperblock(5, 1);
    disk_.Flush();
  }

  Checksum checksum() const { return GetParam(); }
  bool has_checksums() const { return checksum() != Checksum::kNone; }

  static void Put32(std::string& bytes, size_t at, uint32_t value) {
    boost::endian::store_big_u32(reinterpret_cast<uint8_t*>(bytes.data()) + at, value);
  }
  static void Put16(std::string& bytes, size_t at, uint16_t value) {
    boost::endian::store_big_u16(reinterpret_cast<uint8_t*>(bytes.data()) + at, value);
  }
  static uint32_t Crc(uint32_t seed, const std::string& bytes) {
    return ext2fs_crc32c_le(seed, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  uint32_t seed() const { return Crc(~0u, std::string(16, 'u')); }

  void PutFileSystem(bool needs_recovery) {
    ext2_super_block super = {};
    super.s_magic = EXT2_SUPER_MAGIC;
    super.s_feature_ro_compat = EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
    super.s_feature_incompat = needs_recovery ? EXT3_FEATURE_INCOMPAT_RECOVER : 0;
    super.s_checksum = ext2fs_crc32c_le(~0u, reinterpret_cast<const uint8_t*>(&super), 1020);
    disk_.Put(1, std::string(reinterpret_cast<const char*>(&super), sizeof(super)));
  }

  void PutLogSuperblock(uint32_t sequence, uint32_t start) {
    std::string bytes = Header(4, 0);
    Put32(bytes, 12, kBlock);
    Put32(bytes, 16, kJournalBlocks);
    Put32(bytes, 20, 1);
    Put32(bytes, 24, sequence);
    Put32(bytes, 28, start);
    const uint32_t csum = checksum() == Checksum::kV3   ? 0x10
                          : checksum() == Checksum::kV2 ? 0x8
                                                        : 0;
    Put32(bytes, 40, 1 | 2 | csum);
    bytes.replace(48, 16, std::string(16, 'u'));
    if (has_checksums()) {
      bytes[80] = 4;
      Put32(bytes, 252, Crc(~0u, bytes));
    }
    disk_.Put(kJournal, bytes);
  }

  static std::string Header(uint32_t type, uint32_t sequence) {
    std::string bytes(kBlock, '\0');
    Put32(bytes, 0, 0xc03b3998);
    Put32(bytes, 4, type);
    Put32(bytes, 8, sequence);
    return bytes;
  }
  static std::string Data(char letter) { return std::string(kBlock, letter); }

  // Blocks of the log, from 1 on.
  void PutLog(uint32_t log_block, const std::string& bytes) {
    disk_.Put(kJournal + log_block, bytes);
  }
  void PutTail(std::string& bytes) const {
    if (has_checksums()) Put32(bytes, kBlock - 4, Crc(seed(), bytes));
  }
  // `copies` are as in the log.
  void PutDescriptor(uint32_t log_block, uint32_t sequence,
                     const std::vector<std::pair<uint32_t, std::string>>& copies,
                     uint32_t flags = 0) {
    std::string bytes = Header(1, sequence);
    size_t at = 12;
    for (size_t i = 0; i < copies.size(); ++i) {
      std::string be_sequence(4, '\0');
      Put32(be_sequence, 0, sequence);
      const uint32_t crc = Crc(Crc(seed(), be_sequence), copies[i].second);
      const uint32_t tag_flags = flags | (i > 0 ? 2 : 0) | (i + 1 == copies.size() ? 8 : 0);
      Put32(bytes, at, copies[i].first);
      if (checksum() == Checksum::kV3) {
        Put32(bytes, at + 4, tag_flags);
        Put32(bytes, at + 12, crc);
        at += 16;
      } else {
        Put16(bytes, at + 4, has_checksums() ? static_cast<uint16_t>(crc) : 0);
        Put16(bytes, at + 6, static_cast<uint16_t>(tag_flags));
        at += has_checksums() ? 14 : 12;
      }
      if (i == 0) at += 16;
    }
    PutTail(bytes);
    PutLog(log_block, bytes);
  }
  void PutRevoke(uint32_t log_block, uint32_t sequence, uint32_t block) {
    std::string bytes = Header(5, sequence);
    Put32(bytes, 12, 24);
    Put32(bytes, 20, block);
    PutTail(bytes);
    PutLog(log_block, bytes);
  }
  void PutCommit(uint32_t log_block, uint32_t sequence) {
    std::string bytes = Header(2, sequence);
    if (has_checksums()) Put32(bytes, 16, Crc(seed(), bytes));
    PutLog(log_block, bytes);
  }
  // Transaction `sequence`: one copy.
  void PutTransaction(uint32_t log_block, uint32_t sequence, uint32_t home, char letter) {
    PutDescriptor(log_block, sequence, {{home, Data(letter)}});
    PutLog(log_block + 1, Data(letter));
    PutCommit(log_block + 2, sequence);
  }

  std::vector<LogOutcome> Scan() {
    auto outcomes = ScanLog(disk_, contents_, place_);
    EXPECT_TRUE(outcomes.ok()) << outcomes.status();
    return outcomes.ok() ? *outcomes : std::vector<LogOutcome>();
  }
  // "40:xy": what is written to block 40, by the first letters of its units.
  std::vector<std::string> Replayed(const LogOutcome& outcome) const {
    std::map<uint64_t, std::string> blocks;
    for (const auto& [unit, replayed] : outcome.replayed) {
      blocks[unit / kUnits] += contents_.Bytes(replayed.contents.back())[0];
    }
    std::vector<std::string> texts;
    for (const auto& [block, letters] : blocks) {
      texts.push_back(std::to_string(block) + ":" + letters);
    }
    return texts;
  }
  // "5-6" or "no 5": the transactions that each outcome replays; "fails".
  static std::vector<std::string> Transactions(const std::vector<LogOutcome>& outcomes) {
    std::vector<std::string> texts;
    for (const LogOutcome& outcome : outcomes) {
      texts.push_back(!outcome.failure.empty() ? "fails"
                      : outcome.last + 1 == outcome.first
                          ? "no " + std::to_string(outcome.first)
                          : std::to_string(outcome.first) + "-" + std::to_string(outcome.last));
    }
    return texts;
  }

  ContentTable contents_{512};
  Disk disk_{contents_};
  JournalPlace place_;
};

INSTANTIATE_TEST_SUITE_P(Checksums, LogScanTest,
                         testing::Values(LogSuperblock::Checksum::kNone,
                                         LogSuperblock::Checksum::kV2,
                                         LogSuperblock::Checksum::kV3),
                         [](const auto& checksum) {
                           return std::string(
                               checksum.param == LogSuperblock::Checksum::kNone ? "None"
                               : checksum.param == LogSuperblock::Checksum::kV2 ? "V2"
                                                                                : "V3");
                         });

TEST_P(LogScanTest, ReplaysWhatIsCommitted) {
  PutTransaction(1, 5, 40, 'x');
  PutDescriptor(4, 6, {{40, Data('y')}});
  PutLog(5, Data('y'));
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("5-5"));
  EXPECT_THAT(Replayed(outcomes[0]), ElementsAre("40:xx"));
  EXPECT_EQ(outcomes[0].commit_unit, (kJournal + 3) * kUnits);
  EXPECT_TRUE(outcomes[0].pins.empty());
}

TEST_P(LogScanTest, CommitThatMayBeThereGivesTwoOutcomes) {
  PutTransaction(1, 5, 40, 'x');
  PutDescriptor(4, 6, {{41, Data('y')}});
  PutLog(5, Data('y'));
  disk_.Flush();
  PutLog(6, Data('z'));
  disk_.Flush();
  PutCommit(6, 6);
  const auto outcomes = Scan();
  // Only with a checksum does the second half of a commit block matter.
  size_t with = 0, without = 0;
  for (const LogOutcome& outcome : outcomes) {
    (outcome.last == 6 ? with : without) += 1;
    EXPECT_THAT(outcome.pins, SizeIs(2));
    EXPECT_EQ(outcome.replayed.size(), outcome.last == 6 ? 4u : 2u);
  }
  EXPECT_EQ(with, has_checksums() ? 1u : 2u);
  EXPECT_EQ(without, has_checksums() ? 3u : 2u);
}

TEST_P(LogScanTest, CopyThatMayBeMissingFailsItsChecksum) {
  PutTransaction(1, 5, 40, 'x');
  disk_.Flush();
  PutLog(2, Data('o'));
  disk_.Flush();
  PutLog(2, Data('x'));
  const auto outcomes = Scan();
  if (has_checksums()) {
    ASSERT_THAT(Transactions(outcomes), ElementsAre("fails", "5-5"));
    EXPECT_THAT(outcomes[0].failure, HasSubstr("copy of block 40 in transaction 5"));
    EXPECT_THAT(Replayed(outcomes[1]), ElementsAre("40:xx"));
    return;
  }
  // Without one, whatever is there goes home.
  ASSERT_THAT(Transactions(outcomes), ElementsAre("5-5"));
  const ReplayedUnit& unit = outcomes[0].replayed.at(40 * kUnits);
  EXPECT_THAT(unit.contents, SizeIs(2));
  EXPECT_EQ(unit.log_unit, (kJournal + 2) * kUnits);
  EXPECT_EQ(unit.log_contents, unit.contents);
}

TEST_P(LogScanTest, RevokedBlockIsNotReplayed) {
  PutDescriptor(1, 5, {{40, Data('x')}, {41, Data('y')}});
  PutLog(2, Data('x'));
  PutLog(3, Data('y'));
  PutCommit(4, 5);
  PutRevoke(5, 6, 40);
  PutCommit(6, 6);
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("5-6"));
  EXPECT_THAT(Replayed(outcomes[0]), ElementsAre("41:yy"));
}

TEST_P(LogScanTest, EscapedCopyGetsItsMagicNumberBack) {
  std::string copy = Data('x');
  Put32(copy, 0, 0);
  PutDescriptor(1, 5, {{40, copy}}, /*flags=*/1);
  PutLog(2, copy);
  PutCommit(3, 5);
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("5-5"));
  const ReplayedUnit& unit = outcomes[0].replayed.at(40 * kUnits);
  EXPECT_EQ(contents_.Bytes(unit.contents[0]).substr(0, 5), "\xc0\x3b\x39\x98x");
  EXPECT_EQ(contents_.Bytes(unit.log_contents[0]), copy.substr(0, 512));
}

TEST_P(LogScanTest, LogWrapsAround) {
  PutLogSuperblock(5, 6);
  PutDescriptor(6, 5, {{40, Data('x')}, {41, Data('y')}});
  PutLog(7, Data('x'));
  PutLog(1, Data('y'));
  PutCommit(2, 5);
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("5-5"));
  EXPECT_THAT(Replayed(outcomes[0]), ElementsAre("40:xx", "41:yy"));
}

TEST_P(LogScanTest, BothLogSuperblocksAreFollowed) {
  PutTransaction(1, 5, 40, 'x');
  PutTransaction(4, 6, 41, 'y');
  disk_.Flush();
  PutLogSuperblock(6, 4);
  // Sectors of the two do not mix: all that differs is in the first.
  EXPECT_THAT(Transactions(Scan()), ElementsAre("6-6", "5-6"));
}

TEST_P(LogScanTest, WithoutNeedForRecoveryTheLogIsWiped) {
  PutTransaction(1, 5, 40, 'x');
  disk_.Flush();
  PutFileSystem(/*needs_recovery=*/false);
  size_t fails = 0, wiped = 0, replayed = 0;
  for (const LogOutcome& outcome : Scan()) {
    fails += outcome.failure.empty() ? 0 : 1;
    wiped += outcome.failure.empty() && outcome.replayed.empty() ? 1 : 0;
    replayed += outcome.replayed.empty() ? 0 : 1;
  }
  EXPECT_EQ(fails, 2u);  // the superblock, torn
  EXPECT_EQ(wiped, 1u);
  EXPECT_EQ(replayed, 1u);
}

TEST_P(LogScanTest, DamagedDescriptorFailsOnceItsTransactionIsCommitted) {
  if (!has_checksums()) return;
  PutTransaction(1, 5, 40, 'x');
  std::string descriptor = Header(1, 5);
  Put32(descriptor, 12, 40);
  Put32(descriptor, 16, 8);  // in a v3 tag, the last
  Put16(descriptor, 18, 8);  // in another tag as well
  PutLog(1, descriptor);
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("fails"));
  EXPECT_THAT(outcomes[0].failure, HasSubstr("descriptor or revoke block of transaction 5"));
}

TEST_P(LogScanTest, CopyOfABlockBehindTheEndFails) {
  PutTransaction(1, 5, 64, 'x');
  disk_.Flush();
  const auto outcomes = Scan();
  ASSERT_THAT(Transactions(outcomes), ElementsAre("fails"));
  EXPECT_THAT(outcomes[0].failure, HasSubstr("block 64, which is not in the file system"));
}

TEST(LogSuperblockTest, NamesWhatIsWrong) {
  const auto error = [](const std::string& bytes) {
    return std::string(ParseLogSuperblock(bytes).status().message());
  };
  std::string bytes(1024, '\0');
  EXPECT_EQ(error(bytes), "journal superblock: has no magic number");
  const auto put = [&](size_t at, uint32_t value) {
    boost::endian::store_big_u32(reinterpret_cast<uint8_t*>(bytes.data()) + at, value);
  };
  put(0, 0xc03b3998);
  put(4, 7);
  EXPECT_EQ(error(bytes), "journal superblock: is of unknown type 7");
  put(4, 4);
  put(16, 8);
  put(20, 9);
  EXPECT_EQ(
      error(bytes),
      "journal superblock: says that of 8 blocks the log has those from 9 on and starts at 0");
  put(20, 1);
  put(40, 0x20);
  EXPECT_EQ(error(bytes), "journal superblock: has incompatible features 0x20, not known here");
  put(40, 0x10);
  EXPECT_EQ(error(bytes), "journal superblock: does not match its checksum");
  put(36, 1);
  EXPECT_EQ(error(bytes), "journal superblock: has checksums v1, not known here");
}

}  // namespace
}  // namespace model
