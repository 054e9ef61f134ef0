/* Preloaded into a server: while the file FAULT_FLAG holds the number of an error, writes to files whose path begins
   with FAULT_PREFIX fail with it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int fd) {
    const char *flag = getenv("FAULT_FLAG"), *prefix = getenv("FAULT_PREFIX");
    char link[64], path[PATH_MAX] = "", number[16] = "";
    int kept = errno;
    int file = flag && prefix ? open(flag, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        errno = kept;
        return 0;
    }
    ssize_t length = read(file, number, sizeof number - 1);
    close(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int named = readlink(link, path, sizeof path - 1) > 0 && strncmp(path, prefix, strlen(prefix)) == 0;
    errno = named && length > 0 ? atoi(number) : kept;
    return named && length > 0;
}

#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *from, size_t size) {
    NEXT(write);
    return fails(fd) ? -1 : next(fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    NEXT(pwrite);
    return fails(fd) ? -1 : next(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    NEXT(pwrite64);
    return fails(fd) ? -1 : next(fd, from, size, at);
}

int fsync(int fd) {
    NEXT(fsync);
    return fails(fd) ? -1 : next(fd);
}

int fdatasync(int fd) {
    NEXT(fdatasync);
    return fails(fd) ? -1 : next(fd);
}
