/* A wall clock that is a day behind for as long as the file named by CLOCK_BACK_SWITCH exists. Preloaded into the recorder;
 * the monotonic clock is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(clock, now);
    const char *name = getenv("CLOCK_BACK_SWITCH");
    if (done == 0 && clock == CLOCK_REALTIME && name && access(name, F_OK) == 0) now->tv_sec -= DAY_S;
    return done;
}
