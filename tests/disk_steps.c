/* Loaded before libc, this counts the calls that change a disk, those of SQLite and tantivy too, and kills the process
 * just before the one that it was armed for. Calls made inside libc itself (a buffered fwrite) are not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int armed = 0;
static long last = 0, seen = 0;

/* Count from here on; n = 0 counts without killing. */
void arm(long n) { armed = 1; last = n; seen = 0; }
long steps(void) { return seen; }

static void step(void) {
    if (armed && __sync_add_and_fetch(&seen, 1) == last) kill(getpid(), SIGKILL);
}

#define COUNTED(result, name, parameters, arguments)                  \
    result name parameters {                                          \
        static result(*real) parameters;                              \
        if (!real) real = (result(*) parameters) dlsym(RTLD_NEXT, #name); \
        step();                                                       \
        return real arguments;                                        \
    }

COUNTED(ssize_t, write, (int f, const void *b, size_t n), (f, b, n))
COUNTED(ssize_t, writev, (int f, const struct iovec *v, int n), (f, v, n))
COUNTED(ssize_t, pwrite, (int f, const void *b, size_t n, off_t at), (f, b, n, at))
COUNTED(ssize_t, pwrite64, (int f, const void *b, size_t n, off64_t at), (f, b, n, at))
COUNTED(int, fsync, (int f), (f))
COUNTED(int, fdatasync, (int f), (f))
COUNTED(int, ftruncate, (int f, off_t n), (f, n))
COUNTED(int, ftruncate64, (int f, off64_t n), (f, n))
COUNTED(int, rename, (const char *a, const char *b), (a, b))
COUNTED(int, unlink, (const char *a), (a))
COUNTED(int, unlinkat, (int d, const char *a, int g), (d, a, g))
COUNTED(int, mkdir, (const char *a, mode_t m), (a, m))
COUNTED(int, rmdir, (const char *a), (a))
