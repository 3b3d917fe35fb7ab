/* A disk that takes five seconds for each write of the recorder's database, for as long as the file named by
 * SLOW_DISK_SWITCH exists. Preloaded into the recorder; it touches nothing but the database and its write-ahead log. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define SLICES 250
#define SLICE_NS 20000000L

static int is_slow(void) {
    const char *name = getenv("SLOW_DISK_SWITCH");
    return name && access(name, F_OK) == 0;
}

static void wait_for_disk(int fd) {
    char link[64], path[4096];
    if (!is_slow()) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (strcmp(base, "darklaunch.db") && strcmp(base, "darklaunch.db-wal")) return;
    struct timespec slice = {0, SLICE_NS};
    /* In slices, so that the disk is fast again as soon as it is said. */
    for (int i = 0; i < SLICES && is_slow(); i++) nanosleep(&slice, NULL);
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *bytes, size_t count) {
    wait_for_disk(fd);
    return REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    wait_for_disk(fd);
    return REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    wait_for_disk(fd);
    return REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(fd, bytes, count, at);
}

int fsync(int fd) {
    wait_for_disk(fd);
    return REAL(int, "fsync", int)(fd);
}

int fdatasync(int fd) {
    wait_for_disk(fd);
    return REAL(int, "fdatasync", int)(fd);
}
