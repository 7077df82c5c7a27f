/* Loaded before all else (LD_PRELOAD), it refuses the write of number FAIL_WRITE (from 1) in the folder FAIL_UNDER as a full
   disk does, and counts them by bytes in FAIL_MARK. Of processes in which these are not set it changes nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
static int seen;
static int refused(const char *path) {
    const char *fails = getenv("FAIL_WRITE"), *under = getenv("FAIL_UNDER"), *mark = getenv("FAIL_MARK");
    if (!fails || !under || !mark || strncmp(path, under, strlen(under))) return 0;
    int fd = open(mark, O_WRONLY | O_APPEND | O_CREAT, 0600);
    ssize_t (*plain)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    plain(fd, "x", 1);
    close(fd);
    if (++seen != atoi(fails)) return 0;
    errno = ENOSPC;
    return 1;
}
static int refused_fd(int fd) {
    char link[64], path[4096];
    if (!getenv("FAIL_WRITE")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return refused(path);
}
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, #name))
ssize_t write(int fd, const void *from, size_t n) {
    return refused_fd(fd) ? -1 : REAL(write, ssize_t (*)(int, const void *, size_t))(fd, from, n);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) {
    return refused_fd(fd) ? -1 : REAL(pwrite64, ssize_t (*)(int, const void *, size_t, off_t))(fd, from, n, at);
}
ssize_t writev(int fd, const struct iovec *from, int n) {
    return refused_fd(fd) ? -1 : REAL(writev, ssize_t (*)(int, const struct iovec *, int))(fd, from, n);
}
int fsync(int fd) { return refused_fd(fd) ? -1 : REAL(fsync, int (*)(int))(fd); }
int rename(const char *from, const char *to) {
    return refused(to) ? -1 : REAL(rename, int (*)(const char *, const char *))(from, to);
}
int mkdir(const char *path, mode_t mode) {
    return refused(path) ? -1 : REAL(mkdir, int (*)(const char *, mode_t))(path, mode);
}
