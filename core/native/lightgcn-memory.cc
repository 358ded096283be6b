// Threads and tables of the trainer.
#include "lightgcn-trainer.h"

#include <cstdlib>
#include <cstring>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lightgcn {

namespace {

constexpr size_t HUGE_PAGE = 2 << 20;

} // namespace

ThreadTeam::ThreadTeam(int count) {
  for (int number = 1; number < count; number++) workers.emplace_back([this, number] { serve(number); });
}

ThreadTeam::~ThreadTeam() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  started.notify_all();
  for (std::thread &worker : workers) worker.join();
}

void ThreadTeam::serve(int number) {
  uint64_t seen = 0;
  for (;;) {
    const std::function<void(int)> *work;
    {
      std::unique_lock<std::mutex> lock(mutex);
      started.wait(lock, [&] { return stopping || round != seen; });
      if (stopping) return;
      seen = round;
      work = current;
    }
    std::exception_ptr problem;
    try {
      (*work)(number);
    } catch (...) {
      problem = std::current_exception();
    }
    std::lock_guard<std::mutex> lock(mutex);
    if (problem) failure = problem;
    if (--running == 0) finished.notify_one();
  }
}

void ThreadTeam::run(const std::function<void(int)> &work) {
  if (workers.empty()) return work(0);
  {
    std::lock_guard<std::mutex> lock(mutex);
    current = &work;
    running = static_cast<int>(workers.size());
    failure = nullptr;
    round++;
  }
  started.notify_all();
  std::exception_ptr problem;
  try {
    work(0);
  } catch (...) {
    problem = std::current_exception();
  }
  // The others use what `work` refers to: wait for them also after a failure.
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return running == 0; });
  if (!problem) problem = failure;
  if (problem) std::rethrow_exception(problem);
}

void Floats::Free::operator()(float *pointer) const { std::free(pointer); }

Floats::Floats(size_t size) {
  reserve(size);
  std::memset(data(), 0, size * sizeof(float));
}

void Floats::reserve(size_t size) {
  if (size <= count) return;
  const size_t alignment = size * sizeof(float) >= 2 * HUGE_PAGE ? HUGE_PAGE : 64;
  const size_t bytes = (size * sizeof(float) + alignment - 1) / alignment * alignment;
  values.reset();
  count = 0;
  void *pointer = std::aligned_alloc(alignment, bytes);
  if (!pointer) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == HUGE_PAGE) madvise(pointer, bytes, MADV_HUGEPAGE);
#endif
  values.reset(static_cast<float *>(pointer));
  count = size;
}

} // namespace lightgcn
