// The extent tree against a map from file block to device block.

#include "model/ext4/extents.h"

#include "sim/engine/random.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::IsEmpty;

struct Mapped {
  Pblk pblk = 0;
  bool unwritten = false;
  bool operator==(const Mapped&) const = default;
};
using Oracle = std::map<Lblk, Mapped>;

constexpr Lblk kFileBlocks = 3000;
constexpr int kMapCredits = 12;

class ExtentsTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  ExtentsTest() : rig(Options()), random(GetParam(), "operations") {}

  static Ext4RigOptions Options() {
    Ext4RigOptions options;
    options.ext4.geometry = {
        .block_bytes = 1024, .blocks = 8192, .inodes = 32, .journal_blocks = 256};
    return options;
  }

  // Maps up to `len` blocks, as far as they are alike.
  void Map(Lblk lblk, uint32_t len, bool unwritten) {
    Ext4MapBlocks map{lblk, len};
    Ext4Handle handle(rig.sbi(), kMapCredits);
    ASSERT_TRUE(handle.ok());
    sim::WriteGuard i_data_sem(inode->i_data_sem);
    uint32_t flags = kGetBlocksCreate;
    if (unwritten) flags |= kGetBlocksUnwritExt;
    ASSERT_EQ(ext4_ext_map_blocks(handle.get(), *inode, map, flags), Errno::kOk);
    ASSERT_GT(map.m_len, 0u);
    ASSERT_LE(map.m_len, len);
    for (uint32_t i = 0; i < map.m_len; ++i) {
      const auto [entry, is_new] = oracle.try_emplace(lblk + i, Mapped{map.m_pblk + i, unwritten});
      EXPECT_EQ(entry->second.pblk, map.m_pblk + i);
      if (!unwritten) entry->second.unwritten = false;
      EXPECT_EQ((map.m_flags & kMapUnwritten) != 0, entry->second.unwritten);
    }
  }
  // To written, or back.
  void Convert(Lblk lblk, uint32_t len, uint32_t how = kGetBlocksConvert) {
    Ext4MapBlocks map{lblk, len};
    Ext4Handle handle(rig.sbi(), kMapCredits);
    ASSERT_TRUE(handle.ok());
    sim::WriteGuard i_data_sem(inode->i_data_sem);
    const uint32_t flags = kGetBlocksCreate | kGetBlocksUnwritExt | how;
    ASSERT_EQ(ext4_ext_map_blocks(handle.get(), *inode, map, flags), Errno::kOk);
    for (uint32_t i = 0; i < map.m_len; ++i) {
      oracle.at(lblk + i).unwritten = how == kGetBlocksConvertUnwritten;
    }
  }
  void Punch(Lblk start, Lblk end) {
    Ext4Handle handle(rig.sbi(), kMapCredits);
    ASSERT_TRUE(handle.ok());
    sim::WriteGuard i_data_sem(inode->i_data_sem);
    ASSERT_EQ(ext4_ext_remove_space(*handle, *inode, start, end), Errno::kOk);
    oracle.erase(oracle.lower_bound(start), oracle.lower_bound(end));
  }
  void Truncate(Lblk start) {
    Ext4Handle handle(rig.sbi(), kMapCredits);
    ASSERT_TRUE(handle.ok());
    ASSERT_EQ(ext4_orphan_add(*handle, *inode), Errno::kOk);
    {
      sim::WriteGuard i_data_sem(inode->i_data_sem);
      ASSERT_EQ(ext4_ext_remove_space(*handle, *inode, start, UINT32_MAX), Errno::kOk);
    }
    ASSERT_EQ(ext4_orphan_del(*handle, *inode), Errno::kOk);
    oracle.erase(oracle.lower_bound(start), oracle.end());
  }

  void Step() {
    const auto lblk = static_cast<Lblk>(random.UniformBelow(kFileBlocks));
    const auto len = static_cast<uint32_t>(1 + random.UniformBelow(4));
    const auto at = oracle.lower_bound(lblk);
    switch (random.UniformBelow(8)) {
      case 0:
      case 1:
        if (at == oracle.end()) break;
        if (at->second.unwritten) return Convert(at->first, UnwrittenFrom(at, len));
        if (random.OneIn(4)) return Convert(at->first, len, kGetBlocksConvertUnwritten);
        break;
      case 2:
        if (random.OneIn(100)) return Truncate(lblk);
        if (random.OneIn(40)) return Punch(lblk, lblk + 300);
        if (random.OneIn(3)) return Punch(lblk, lblk + 2 * len);
        break;
      default:
        Map(lblk, len, random.UniformBelow(3) > 0);
    }
  }
  // How many of the `len` blocks from `at` on are unwritten.
  uint32_t UnwrittenFrom(Oracle::const_iterator at, uint32_t len) const {
    uint32_t n = 0;
    for (Lblk lblk = at->first; n < len; ++n, ++lblk) {
      const auto entry = oracle.find(lblk);
      if (entry == oracle.end() || !entry->second.unwritten) break;
    }
    return n;
  }

  void Compare() {
    EXPECT_THAT(rig.Faults(), IsEmpty());
    Oracle found;
    const RecoveredTree tree = rig.Metadata();
    for (const Extent& ex : tree.files[0].extents) {
      for (uint32_t i = 0; i < ex.ee_len; ++i) {
        found[ex.ee_block + i] = {ex.ee_start + i, ex.unwritten};
      }
    }
    EXPECT_EQ(found, oracle);
  }

  Ext4Rig rig;
  sim::RandomStream random;
  Ext4Inode* inode = nullptr;
  Oracle oracle;
  int deepest = 0;
};

TEST_P(ExtentsTest, TreeAgreesWithAMap) {
  rig.Story([&] {
    inode = &rig.Open("a");
    inode->i_size.store(uint64_t{kFileBlocks + 4} * 1024);
    inode->i_disksize.store(inode->i_size.load());
    for (int i = 0; i < 3000 && !HasFailure(); ++i) {
      Step();
      deepest = std::max<int>(deepest, inode->i_data->eh_depth);
      if (i % 100 == 0) Compare();
    }
    Truncate(kFileBlocks / 2);
    Compare();
    Truncate(0);
    Compare();
  });
  EXPECT_EQ(deepest, 2);
  EXPECT_EQ(inode->i_blocks, 0u);
  EXPECT_THAT(rig.Findings(), IsEmpty());
  EXPECT_THAT(rig.validator().reports(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ExtentsTest, ::testing::Range<uint64_t>(0, 8));

}  // namespace
}  // namespace model
