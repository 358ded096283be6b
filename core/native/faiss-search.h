// What the binding does with an index of libfaiss, away from JavaScript.
#pragma once

#include <faiss/Index.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "search-request.h"

namespace faiss_binding {

using Id = faiss::Index::idx_t;

struct Holder {
  explicit Holder(std::unique_ptr<faiss::Index> owned) : index(std::move(owned)) {}
  std::unique_ptr<faiss::Index> index;
  // Held shared by searches, alone by searches that must change a setting of the index itself.
  std::shared_mutex settings;
  // Of an IVF index, where each row is: list and place in it, made when single rows are first asked for.
  std::once_flag placesMade;
  std::vector<uint64_t> places;
};
using SharedHolder = std::shared_ptr<Holder>;

// Searches of this thread use as many threads as that work is worth.
void ChooseThreads(double multiplications);

// Trains on vectors evenly spread over all, then adds all.
void Fill(faiss::Index& index, const float* vectors, Id count);

// Writes the results to where the request says.
void Search(Holder& holder, const SearchRequest& request);

}  // namespace faiss_binding
