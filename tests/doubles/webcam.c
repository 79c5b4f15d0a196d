/* A camera device in user space: stands, by LD_PRELOAD, between a program and the kernel's calls for one device node.
 *
 * Behaves as a USB 2 webcam does behind uvcvideo: raw YUYV by default, at 640x480 and 10 frames/s at most, and MJPG at
 * up to 1280x720 and 30; four buffers that fill in turn, so that a slow reader sees the past. FAKE_V4L2_NODE names the
 * node, a link to /dev/null. FAKE_V4L2_FOLDER holds pictures 0.jpg, 1.jpg ... and the file `state`:
 * fair, stall (no picture any more), vanish (ENODEV), busy (EBUSY where buffers are asked for), data (a node for data alone).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 4
#define LARGEST (4 << 20)
#define MOST_OPEN 64

struct node {
    int fd, width, height, fps, streaming, asked;
    uint32_t format;
    uint8_t *memory[BUFFERS];
    long due[BUFFERS]; /* tick at which a queued buffer is full, 0 when it is not queued */
    long last_due;
    uint32_t sequence;
};
static struct node nodes[MOST_OPEN];

static void state(char *out) {
    char path[4096];
    snprintf(path, sizeof path, "%s/state", getenv("FAKE_V4L2_FOLDER"));
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%15s", out) != 1) strcpy(out, "vanish");
    if (file) fclose(file);
}

static int is(const char *wanted) {
    char now[16];
    state(now);
    return !strcmp(now, wanted);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static struct node *find(int fd) {
    for (int i = 0; i < MOST_OPEN; i++)
        if (nodes[i].fd == fd && fd > 0) return &nodes[i];
    return NULL;
}

static int fake_open(void) {
    if (is("vanish")) return errno = ENODEV, -1;
    for (int i = 0; i < MOST_OPEN; i++)
        if (!nodes[i].fd) {
            memset(&nodes[i], 0, sizeof nodes[i]);
            nodes[i].fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
            nodes[i].format = V4L2_PIX_FMT_YUYV, nodes[i].width = 640, nodes[i].height = 480, nodes[i].fps = 10;
            return nodes[i].fd;
        }
    return errno = EMFILE, -1;
}

static int is_node(const char *path) {
    const char *node = getenv("FAKE_V4L2_NODE");
    return node && path && !strcmp(path, node);
}

#define OPEN(name)                                                    \
    int name(const char *path, int flags, ...) {                      \
        va_list list;                                                 \
        va_start(list, flags);                                        \
        int mode = va_arg(list, int);                                 \
        va_end(list);                                                 \
        if (is_node(path)) return fake_open();                        \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    struct node *node = find(fd);
    if (node) node->fd = 0;
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(fd);
}

#define MMAP(name, offset)                                                        \
    void *name(void *start, size_t length, int what, int flags, int fd, offset at) {  \
        struct node *node = find(fd);                                             \
        void *(*real)(void *, size_t, int, int, int, offset) = dlsym(RTLD_NEXT, #name); \
        if (!node) return real(start, length, what, flags, fd, at);               \
        void *memory = real(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); \
        node->memory[at / LARGEST] = memory;                                      \
        return memory;                                                            \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

static void queue(struct node *node, int index) {
    long now = (long)(seconds() * node->fps);
    node->last_due = (node->last_due > now ? node->last_due : now) + 1;
    node->due[index] = node->last_due;
}

static uint32_t fill(struct node *node, int index) {
    if (node->format == V4L2_PIX_FMT_YUYV) {
        uint32_t size = node->width * node->height * 2;
        memset(node->memory[index], 80 + node->sequence % 90, size);
        return size;
    }
    char path[4096];
    for (int wrap = 0; wrap < 2; wrap++) {
        static int count = 0;
        if (wrap) count = node->sequence ? (int)node->sequence : 1; /* as many as were found */
        snprintf(path, sizeof path, "%s/%d.jpg", getenv("FAKE_V4L2_FOLDER"), count ? (int)(node->sequence % count) : (int)node->sequence);
        FILE *file = fopen(path, "rb");
        if (!file) continue;
        uint32_t size = fread(node->memory[index], 1, LARGEST, file);
        fclose(file);
        return size;
    }
    return 0;
}

static int dequeue(struct node *node, struct v4l2_buffer *buffer) {
    if (is("vanish")) return errno = ENODEV, -1;
    int oldest = -1;
    for (int i = 0; i < BUFFERS; i++)
        if (node->due[i] && (oldest < 0 || node->due[i] < node->due[oldest])) oldest = i;
    if (oldest < 0 || !node->streaming) return errno = EINVAL, -1;
    double left = node->due[oldest] / (double)node->fps - seconds();
    if (is("stall")) left = 3600;
    if (left > 0) { /* make the handle readable when the picture is there */
        struct itimerspec when = {.it_value = {.tv_sec = (time_t)left, .tv_nsec = (long)((left - (time_t)left) * 1e9) + 1}};
        timerfd_settime(node->fd, 0, &when, NULL);
        return errno = EAGAIN, -1;
    }
    node->due[oldest] = 0;
    buffer->index = oldest;
    buffer->bytesused = fill(node, oldest);
    buffer->sequence = node->sequence++;
    buffer->length = LARGEST;
    return 0;
}

static void take_format(struct node *node, struct v4l2_pix_format *pix, int keep) {
    uint32_t format = pix->pixelformat == V4L2_PIX_FMT_MJPEG ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    int large = format == V4L2_PIX_FMT_MJPEG && pix->width > 640;
    int width = large ? 1280 : 640, height = large ? 720 : 480;
    pix->pixelformat = format, pix->width = width, pix->height = height, pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = format == V4L2_PIX_FMT_YUYV ? width * 2 : 0;
    pix->sizeimage = LARGEST;
    if (keep) node->format = format, node->width = width, node->height = height, node->fps = format == V4L2_PIX_FMT_MJPEG ? 30 : 10;
}

static int offer(struct v4l2_fmtdesc *offered) {
    if (offered->index > 1) return errno = EINVAL, -1;
    offered->pixelformat = offered->index ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    return 0;
}

static int offer_size(struct v4l2_frmsizeenum *size) {
    int mjpg = size->pixel_format == V4L2_PIX_FMT_MJPEG;
    if (size->index > (unsigned)mjpg) return errno = EINVAL, -1;
    size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    size->discrete.width = size->index ? 1280 : 640, size->discrete.height = size->index ? 720 : 480;
    return 0;
}

static int answer(struct node *node, unsigned long request, void *argument) {
    if (is("vanish")) return errno = ENODEV, -1;
    switch ((uint32_t)request) {
    case (uint32_t)VIDIOC_QUERYCAP: {
        struct v4l2_capability *told = argument;
        strcpy((char *)told->driver, "uvcvideo"), strcpy((char *)told->card, "Webcam double"), strcpy((char *)told->bus_info, "usb-0-1");
        told->capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_META_CAPTURE;
        told->device_caps = is("data") ? V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING : V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    }
    case (uint32_t)VIDIOC_ENUM_FMT: return offer(argument);
    case (uint32_t)VIDIOC_ENUM_FRAMESIZES: return offer_size(argument);
    case (uint32_t)VIDIOC_G_FMT: {
        struct v4l2_pix_format *pix = &((struct v4l2_format *)argument)->fmt.pix;
        pix->pixelformat = node->format, pix->width = node->width, pix->height = node->height;
        take_format(node, pix, 0);
        return 0;
    }
    case (uint32_t)VIDIOC_TRY_FMT: take_format(node, &((struct v4l2_format *)argument)->fmt.pix, 0); return 0;
    case (uint32_t)VIDIOC_S_FMT:
        if (is("busy") || node->asked) return errno = EBUSY, -1;
        take_format(node, &((struct v4l2_format *)argument)->fmt.pix, 1);
        return 0;
    case (uint32_t)VIDIOC_G_PARM:
    case (uint32_t)VIDIOC_S_PARM: {
        struct v4l2_captureparm *rate = &((struct v4l2_streamparm *)argument)->parm.capture;
        rate->capability = V4L2_CAP_TIMEPERFRAME;
        rate->timeperframe.numerator = 1, rate->timeperframe.denominator = node->fps;
        return 0;
    }
    case (uint32_t)VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *wanted = argument;
        if (is("busy")) return errno = EBUSY, -1;
        if (wanted->count > BUFFERS) wanted->count = BUFFERS;
        node->asked = wanted->count;
        memset(node->due, 0, sizeof node->due);
        return 0;
    }
    case (uint32_t)VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = argument;
        buffer->length = LARGEST, buffer->m.offset = buffer->index * LARGEST;
        return 0;
    }
    case (uint32_t)VIDIOC_QBUF: queue(node, ((struct v4l2_buffer *)argument)->index); return 0;
    case (uint32_t)VIDIOC_DQBUF: return dequeue(node, argument);
    case (uint32_t)VIDIOC_STREAMON: node->streaming = 1; return 0;
    case (uint32_t)VIDIOC_STREAMOFF: node->streaming = 0, memset(node->due, 0, sizeof node->due); return 0;
    case (uint32_t)VIDIOC_G_INPUT: *(int *)argument = 0; return 0;
    case (uint32_t)VIDIOC_S_INPUT: return 0;
    default: return errno = EINVAL, -1;
    }
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    struct node *node = find(fd);
    return node ? answer(node, request, argument) : ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
}
