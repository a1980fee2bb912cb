// O_DIRECT [fs/iomap/direct-io.c].

#include <algorithm>
#include <optional>
#include <utility>

#include "model/iomap/iomap.h"
#include "model/vfs/syscalls.h"

namespace model {
namespace {

constexpr uint64_t kBioMaxBytes = 256 * 4096;  // BIO_MAX_VECS pages
constexpr int kDioDoneWorkers = 8;  // as many as there are items, to any scenario there is

struct IomapDio {
  IomapDio(const Kiocb& of, const IovIter& iter, const IomapDioOps& o)
      : iocb(of),
        inode(*of.inode),
        ops(o),
        into(iter.into),
        begin(iter.start),
        end(iter.start + iter.count),
        i_size(inode.i_size.load()),
        submitted(inode.i_sb.world,
                  inode.i_sb.world.lock_tracker().Class("direct I/O of the device"),
                  {"inode", inode.i_ino}),
        ref_object(inode.i_sb.world.NewObject()) {}

  Kiocb iocb;  // an asynchronous one outlives the call that made it
  Inode& inode;
  const IomapDioOps& ops;
  std::vector<SectorContent>* into;  // a read
  const uint64_t begin, end;         // what was asked for
  const uint64_t i_size;             // as it was then
  uint64_t size = 0;                 // submitted
  Errno error = Errno::kOk;
  int ref = 1;  // the submitter's, and one a bio
  sim::Completion submitted;
  sim::ObjectId ref_object;
  bool wait_for_completion = true;
  // IOMAP_DIO_*
  bool unwritten = false, comp_work = false, need_sync = false, write_through = false;
  bool no_invalidate = false;
  WriteId write = 0;
  DirectId direct = 0;

  bool is_write() const { return into == nullptr; }
};
using DioRef = std::shared_ptr<IomapDio>;

void sb_init_dio_done_wq(SuperBlock& sb) {
  if (sb.s_dio_done_wq.has_value()) return;
  sb.s_dio_done_wq.emplace(sb.world, "dio", sb.world.lock_tracker().Class("(wq_completion)dio/%s"),
                           kDioDoneWorkers);
}

// --- The end -------------------------------------------------------------------------------------

// Or the writes were durable as they went.
Errno Sync(IomapDio& dio) {
  const uint64_t end = dio.begin + dio.size;
  if (dio.need_sync) return generic_write_sync(dio.inode, dio.begin, end, dio.iocb.sync);
  if (dio.write_through) {
    History& history = dio.inode.i_sb.history;
    history.EndSync(history.BeginSyncRange(SyncKind::kFdatasync, dio.inode.key(), dio.begin, end),
                    true);
  }
  return Errno::kOk;
}

Errno EndWrite(IomapDio& dio) {
  Inode& inode = dio.inode;
  History& history = inode.i_sb.history;
  const Errno error = dio.ops.end_io(inode, dio.begin, dio.size, dio.error, dio.unwritten);
  if (error == Errno::kOk) history.Copied(dio.write, dio.begin, dio.size);
  // ORDER: after the conversion, or a read that comes in between would leave zeros in the cache.
  if (dio.error == Errno::kOk && !dio.no_invalidate && dio.ops.invalidates_after(inode)) {
    (void)inode.i_mapping.invalidate_inode_pages2_range(dio.begin, dio.begin + dio.size);
  }
  history.EndDirect(dio.direct, error == Errno::kOk);
  return error;
}

// `in_task`: as opposed to an event, which parks nowhere.
IoResult iomap_dio_complete(IomapDio& dio, bool in_task) {
  SIM_FRAME("iomap_dio_complete");
  Inode& inode = dio.inode;
  Errno error = dio.error;
  {
    std::optional<sim::EventScope> scope;
    if (in_task) scope.emplace(inode.i_dio_wait);
    const bool counts = dio.ops.counts_until_ended(inode);
    if (!counts) inode_dio_end(inode);
    if (dio.is_write()) error = EndWrite(dio);
    // ORDER: last, so that who waits finds blocks and sizes as they will be.
    if (counts) inode_dio_end(inode);
  }
  if (error != Errno::kOk) return {0, error};
  const uint64_t end = dio.begin + dio.size;
  const uint64_t done = (dio.is_write() ? end : std::min(end, dio.i_size)) - dio.begin;
  error = Sync(dio);
  return error == Errno::kOk ? IoResult{done} : IoResult{0, error};
}

// Nobody waits: on s_dio_done_wq, or in the event itself if there is nothing to do.
void iomap_dio_complete_work(const DioRef& dio, bool in_task) {
  SIM_FRAME("iomap_dio_complete_work");
  const IoResult result = iomap_dio_complete(*dio, in_task);
  dio->iocb.ki_complete(result);
}

// In an event, or the last reference was the submitter's.
void iomap_dio_done(const DioRef& dio) {
  SIM_FRAME("iomap_dio_done");
  if (dio->wait_for_completion) {
    dio->submitted.complete();
    return;
  }
  if (dio->error != Errno::kOk) dio->comp_work = true;
  if (!dio->comp_work) {
    const bool nrpages = dio->inode.i_mapping.has_folios();
    (nrpages ? dio->comp_work : dio->no_invalidate) = true;
  }
  if (!dio->comp_work) {
    iomap_dio_complete_work(dio, false);
    return;
  }
  dio->inode.i_sb.s_dio_done_wq->queue_work([dio] { iomap_dio_complete_work(dio, true); });
}

// Bios end in any order; the submitter, if it is the last, goes on by itself.
void Put(const DioRef& dio) {
  sim::World& world = dio->inode.i_sb.world;
  world.Touch(dio->ref_object, world.in_irq() ? sim::Access::kRead : sim::Access::kWrite);
  if (--dio->ref == 0) iomap_dio_done(dio);
}

// --- Submission ----------------------------------------------------------------------------------

void iomap_dio_submit_bio(const DioRef& dio, const Iomap& iomap, uint64_t pos,
                          std::unique_ptr<sim::Bio> bio) {
  ++dio->ref;
  bio->is_data = true;
  bio->op = dio->is_write() ? sim::Bio::Op::kWrite : sim::Bio::Op::kRead;
  bio->what = "file data (direct)";
  bio->end_io = [dio, pos](sim::Bio& done, sim::BioStatus status) {
    if (status != sim::BioStatus::kOk) {
      dio->error = FirstError(dio->error, Errno::kIo);
    } else if (!dio->is_write()) {
      const uint64_t first = (pos - dio->begin) / kGranuleBytes;
      std::copy(done.contents.begin(), done.contents.end(),
                dio->into->begin() + static_cast<std::ptrdiff_t>(first));
    }
    Put(dio);
  };
  dio->ops.submit_io(dio->inode, iomap, pos, std::move(bio));
}

void iomap_dio_zero(const DioRef& dio, const Iomap& iomap, uint64_t pos, uint64_t len) {
  SIM_FRAME("iomap_dio_zero");
  if (len == 0) return;
  auto bio = std::make_unique<sim::Bio>();
  bio->contents.resize(len / kGranuleBytes, kZeroContent);
  iomap_dio_submit_bio(dio, iomap, pos, std::move(bio));
}

// What the mapping means to a write; whether blocks that it does not fill have to be zeroed.
bool PrepareWrite(IomapDio& dio, const Iomap& iomap) {
  const bool is_unwritten = iomap.type == IomapType::kUnwritten;
  const bool needs_completion_work = iomap.type != IomapType::kMapped || iomap.is_new;
  dio.unwritten |= is_unwritten;
  // FUA, if that is all that makes it durable.
  dio.write_through &= !needs_completion_work && !iomap.dirty;
  dio.comp_work |= needs_completion_work;
  return is_unwritten || iomap.is_new;
}

// One bio of the user's data, or as much as the memory gives; 0: EFAULT.
uint64_t iomap_dio_bio_iter_one(const DioRef& dio, const Iomap& iomap, IovIter& iter,
                                uint64_t bytes) {
  const uint64_t readable = bytes - fault_in_iov_iter_readable(iter, bytes);
  bytes = readable / kGranuleBytes * kGranuleBytes;
  if (bytes == 0) return 0;
  auto bio = std::make_unique<sim::Bio>();
  const auto first = static_cast<uint32_t>(iter.start / kGranuleBytes);
  bio->contents.resize(bytes / kGranuleBytes);
  if (dio->is_write()) {
    for (uint32_t g = 0; g < bio->contents.size(); ++g) {
      bio->contents[g] = DataContent(dio->write, first + g);
    }
    bio->fua = dio->write_through;
  }
  iomap_dio_submit_bio(dio, iomap, iter.start, std::move(bio));
  return bytes;
}

void Advance(IomapDio& dio, IovIter& iter, uint64_t bytes) {
  dio.size += bytes;
  iter.start += bytes;
  iter.count -= bytes;
}

Errno iomap_dio_bio_iter(const DioRef& dio, const Iomap& iomap, IovIter& iter) {
  SIM_FRAME("iomap_dio_bio_iter");
  const uint64_t bs = dio->inode.i_mapping.block_bytes();
  const uint64_t end = std::min(iter.start + iter.count, iomap.end());
  if (iter.start % kGranuleBytes != 0 || end % kGranuleBytes != 0) return Errno::kInval;
  bool need_zeroout = dio->is_write() && PrepareWrite(*dio, iomap);
  const uint64_t pad = iter.start % bs;
  if (need_zeroout) iomap_dio_zero(dio, iomap, iter.start - pad, pad);
  Errno error = Errno::kOk;
  while (iter.start < end && dio->error == Errno::kOk) {
    const uint64_t bytes =
        iomap_dio_bio_iter_one(dio, iomap, iter, std::min(end - iter.start, kBioMaxBytes));
    if (bytes == 0) {
      error = Errno::kFault;  // not before the rest of the block is zeroed
      break;
    }
    Advance(*dio, iter, bytes);
  }
  // A mapping could show the rest of a block that the end of file is in.
  need_zeroout |= dio->is_write() && iter.start >= dio->inode.i_size.load();
  if (need_zeroout && iter.start % bs != 0) {
    iomap_dio_zero(dio, iomap, iter.start, bs - iter.start % bs);
  }
  return error;
}

Errno iomap_dio_iter(const DioRef& dio, const Iomap& iomap, IovIter& iter) {
  const bool reads_zero = iomap.type == IomapType::kHole || iomap.type == IomapType::kUnwritten;
  if (!dio->is_write() && reads_zero) {  // iomap_dio_hole_iter()
    Advance(*dio, iter, std::min(iter.count, iomap.end() - iter.start));
    return Errno::kOk;
  }
  // Delayed: a store through a mapping has come in after the range was written back.
  if (iomap.type == IomapType::kHole || iomap.type == IomapType::kDelalloc) return Errno::kIo;
  return iomap_dio_bio_iter(dio, iomap, iter);
}

Errno SubmitAll(const DioRef& dio, IovIter& iter) {
  const IomapFlags flags{.write = dio->is_write()};
  while (iter.count > 0) {
    Iomap iomap;
    Errno error = dio->ops.iomap_begin(dio->inode, iter.start, iter.count, flags, iomap);
    if (error == Errno::kOk) error = iomap_dio_iter(dio, iomap, iter);
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

// kiocb_invalidate_pages(): what is cached of the range is written, and goes.
Errno kiocb_invalidate_pages(Inode& inode, uint64_t begin, uint64_t end) {
  const Errno error = inode.i_mapping.filemap_write_and_wait_range(begin, end - 1);
  return error != Errno::kOk ? error : inode.i_mapping.invalidate_inode_pages2_range(begin, end);
}

Errno BeginWrite(IomapDio& dio) {
  dio.need_sync = dio.iocb.sync != WriteSync::kNone;
  dio.write_through = dio.iocb.sync == WriteSync::kDsync;
  dio.comp_work = dio.end > dio.i_size;
  History& history = dio.inode.i_sb.history;
  dio.direct =
      history.BeginDirect(dio.inode.key(), dio.begin, dio.end, dio.inode.i_mapping.block_bytes());
  if (kiocb_invalidate_pages(dio.inode, dio.begin, dio.end) != Errno::kOk) {
    history.EndDirect(dio.direct, true);  // nothing has come of it
    return Errno::kNotBlk;
  }
  dio.write = history.BeginWrite(dio.inode.key(), dio.begin, dio.end - dio.begin);
  return Errno::kOk;
}

Errno BeginRead(IomapDio& dio) {
  dio.into->assign((dio.end - dio.begin + kGranuleBytes - 1) / kGranuleBytes, kZeroContent);
  return dio.inode.i_mapping.filemap_write_and_wait_range(dio.begin, dio.end - 1);
}

}  // namespace

IoResult iomap_dio_rw(Kiocb& iocb, IovIter& iter, const IomapDioOps& ops, bool force_wait) {
  SIM_FRAME("__iomap_dio_rw");
  Inode& inode = *iocb.inode;
  const bool is_async = iocb.ki_complete != nullptr && !force_wait;
  auto dio = std::make_shared<IomapDio>(iocb, iter, ops);
  if (!dio->is_write() && dio->begin >= dio->i_size) return {};
  const Errno begun = dio->is_write() ? BeginWrite(*dio) : BeginRead(*dio);
  if (begun != Errno::kOk) return {0, begun};
  if (is_async) sb_init_dio_done_wq(inode.i_sb);
  {
    const sim::EventScope scope(inode.i_dio_wait);
    inode_dio_begin(inode);
    const Errno submitted = SubmitAll(dio, iter);
    dio->error = FirstError(dio->error, submitted);
    dio->need_sync &= !dio->write_through;
    dio->comp_work |= dio->need_sync;
    dio->wait_for_completion = !is_async;
    Put(dio);
    if (is_async) return {0, Errno::kIocbQueued};
    dio->submitted.wait_for_completion();
  }
  const IoResult result = iomap_dio_complete(*dio, true);
  iocb.ki_pos += result.bytes;
  return result;
}

}  // namespace model
