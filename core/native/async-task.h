// Work of an addon on the libuv pool that settles a promise, and errors with a code.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <string>
#include <utility>

inline Napi::Error CodedError(Napi::Env env, const std::string& code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

// Runs `work` on the libuv pool and settles a promise with what `finish` makes of it on the JavaScript thread. What `work`
// throws rejects the promise under `failureCode`. `pinned` keeps JavaScript memory that `work` reads or writes.
class AsyncTask : public Napi::AsyncWorker {
 public:
  using Finish = std::function<Napi::Value(Napi::Env, const Napi::Object&)>;

  struct Job {
    Napi::Object pinned;
    const char* failureCode;
    std::function<void()> work;
    Finish finish;
  };

  static Napi::Promise Start(Napi::Env env, Job job) {
    AsyncTask* task = new AsyncTask(env, std::move(job));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  // As `Start`, on the JavaScript thread, before it returns: for work that takes less than to hand it over and be woken.
  static Napi::Promise RunNow(Napi::Env env, Job job) {
    AsyncTask task(env, std::move(job));
    task.Execute();
    task.OnOK();
    return task.deferred_.Promise();
  }

  void Execute() override {
    try {
      work_();
    } catch (const std::exception& error) {
      failure_ = error.what();
      failed_ = true;
    } catch (...) {
      failure_ = "unknown C++ exception";
      failed_ = true;
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      if (failed_) {
        deferred_.Reject(CodedError(Env(), failureCode_, failure_).Value());
      } else {
        Settle();
      }
    } catch (const Napi::Error&) {
      // The worker thread is being terminated: no JavaScript can run, and nobody is left who waits.
    }
  }

 private:
  AsyncTask(Napi::Env env, Job job)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        pinned_(Napi::Persistent(job.pinned)),
        failureCode_(job.failureCode),
        work_(std::move(job.work)),
        finish_(std::move(job.finish)) {}

  void Settle() {
    Napi::Value value;
    try {
      value = finish_(Env(), pinned_.Value());
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
      return;
    }
    deferred_.Resolve(value);
  }

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference pinned_;
  const char* failureCode_;
  std::function<void()> work_;
  Finish finish_;
  std::string failure_;
  bool failed_ = false;
};
