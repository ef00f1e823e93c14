/* Loaded before the C library (LD_PRELOAD): of the calls that change files below a folder named "run", the one with the number
 * FAIL_AT, from 1, fails with the error FAIL_ERRNO, or all from that one on where FAIL_ON is set. A file FAIL_LOG is made when
 * one has failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int ours(const char *path) { return path != NULL && strstr(path, "/run/") != NULL; }

static int ours_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return ours(path);
}

/* Relative paths are those of the working directory. */
static int ours_at(const char *path) {
    char whole[8192], here[4096];
    if (path == NULL) return 0;
    if (path[0] == '/' || getcwd(here, sizeof here) == NULL) return ours(path);
    snprintf(whole, sizeof whole, "%s/%s", here, path);
    return ours(whole);
}

static int fails(void) {
    const char *at = getenv("FAIL_AT"), *on = getenv("FAIL_ON"), *log = getenv("FAIL_LOG");
    if (at == NULL) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1, wanted = atol(at);
    if (number != wanted && !(on != NULL && number > wanted)) return 0;
    if (log != NULL) {
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        int fd = real(log, O_WRONLY | O_CREAT, 0644);
        if (fd >= 0) close(fd);
    }
    errno = atoi(getenv("FAIL_ERRNO"));
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    return ours_fd(fd) && fails() ? -1 : real(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    return ours_fd(fd) && fails() ? -1 : real(fd, parts, count);
}

int fsync(int fd) {
    REAL(fsync);
    return ours_fd(fd) && fails() ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return ours_fd(fd) && fails() ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    return ours_fd(fd) && fails() ? -1 : real(fd, length);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    return ours_at(to) && fails() ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL(unlink);
    return ours_at(path) && fails() ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return ours_at(path) && fails() ? -1 : real(path, mode);
}

static int opens(const char *name, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
    if ((flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) && ours_at(path) && fails()) return -1;
    return real(path, flags, mode);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opens("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opens("open64", path, flags, mode);
}

/* The clock on the wall jumps, between 1938 and 2045, wherever CLOCK_JUMPS is set. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(clock_gettime);
    static atomic_long asked;
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME && getenv("CLOCK_JUMPS") != NULL) {
        time->tv_sec += atomic_fetch_add(&asked, 1) % 2 ? 600000000 : -2800000000;
    }
    return result;
}
