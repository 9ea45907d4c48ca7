/* Error texts and attributes. */
#include "declog/h5.h"
#include "declog/liveness.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Attempts to read metadata that a writer may be changing. HDF5 doubles its
 * pause each time, from 1 ns: the first number takes half a millisecond, the
 * second 0.3 s, as long as a busy machine may delay a writer; HDF5's own 100,
 * on a damaged file, never ends. */
#define READ_ATTEMPTS         18
#define READ_ATTEMPTS_WRITTEN 27

#define READ_CACHE_BYTES 131072 /* per dataset; the reader has its own cache */

void dfopt_h5_quiet(void)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

struct reason {
    char system[128]; /* strerror's text, if any */
    char innermost[160];
};

/* HDF5's file driver reports it as `errno = 28, error message = 'No space left
 * on device', ...` in the description. */
static herr_t look_at_level(unsigned n, const H5E_error2_t *e, void *data)
{
    (void)n;
    struct reason *r = data;
    static const char mark[] = "error message = '";
    const char *start = e->desc ? strstr(e->desc, mark) : NULL;
    if (start) {
        start += sizeof mark - 1;
        size_t len = strcspn(start, "'");
        if (len >= sizeof r->system)
            len = sizeof r->system - 1;
        memcpy(r->system, start, len);
        r->system[len] = '\0';
    }
    if (e->desc)
        snprintf(r->innermost, sizeof r->innermost, "%s", e->desc);
    return 0;
}

enum dfopt_err dfopt_h5_error(struct dfopt_error *err, enum dfopt_err code,
                              const char *path, const char *what)
{
    struct reason r = {.system = ""};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, look_at_level, &r);
    H5Eclear2(H5E_DEFAULT);
    const char *reason = *r.system ? r.system : r.innermost;
    return dfopt_error_set(err, code, "%s: %s%s%s", path, what, *reason ? ": " : "",
                           reason);
}

void dfopt_h5_close(hid_t id)
{
    if (id < 0)
        return;
    hid_t stack = H5Eget_current_stack();
    H5Idec_ref(id);
    if (stack >= 0)
        H5Eset_current_stack(stack); /* closes it */
}

enum dfopt_err dfopt_h5_look(const char *path, struct dfopt_error *err)
{
    struct stat st;
    const char *wrong = NULL;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0)
        wrong = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file";
    return wrong ? dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path, wrong)
                 : DFOPT_OK;
}

hid_t dfopt_h5_open(const char *path, struct dfopt_h5_access *how)
{
    /* h5clear also sets this to open a truncated file */
    static const char skip[] = "skip_eof_check";
    static const struct dfopt_h5_access ways[] = {
        {false, false}, {true, false}, {false, true}, {true, true}};
    const unsigned attempts = dfopt_declog_file_writer(path) == DFOPT_WRITER_NONE
                                  ? READ_ATTEMPTS
                                  : READ_ATTEMPTS_WRITTEN;
    hid_t file = -1;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_cache(access, 0, 7, READ_CACHE_BYTES, 1.0) < 0)
        goto done;
    for (size_t i = 0; file < 0 && i < sizeof ways / sizeof *ways; i++) {
        hbool_t yes = true;
        if (ways[i].cut &&
            (H5Pexist(access, skip) <= 0 || H5Pset(access, skip, &yes) < 0))
            break;
        /* without a writer a second read gives the same */
        if (H5Pset_metadata_read_attempts(access, ways[i].live ? attempts : 1) < 0)
            break;
        file = H5Fopen(
            path, H5F_ACC_RDONLY | (ways[i].live ? H5F_ACC_SWMR_READ : 0u), access);
        if (file >= 0 && how)
            *how = ways[i];
    }
done:
    dfopt_h5_close(access);
    return file;
}

hid_t dfopt_h5_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 ||
                      H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        dfopt_h5_close(type);
        return -1;
    }
    return type;
}

static herr_t write_scalar(hid_t object, const char *name, hid_t type,
                           const void *value)
{
    herr_t status = -1;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr >= 0)
        status = H5Awrite(attr, type, value);
    dfopt_h5_close(attr);
    dfopt_h5_close(space);
    return status;
}

herr_t dfopt_h5_write_text(hid_t object, const char *name, const char *text)
{
    if (!text)
        text = "";
    hid_t type = dfopt_h5_text_type();
    herr_t status = type < 0 ? -1 : write_scalar(object, name, type, &text);
    dfopt_h5_close(type);
    return status;
}

herr_t dfopt_h5_write_int(hid_t object, const char *name, int64_t value)
{
    return write_scalar(object, name, H5T_STD_I64LE, &value);
}

herr_t dfopt_h5_write_real(hid_t object, const char *name, double value)
{
    return write_scalar(object, name, H5T_IEEE_F64LE, &value);
}

/* Opens a scalar attribute of the given class. */
static hid_t open_scalar(hid_t object, const char *name, H5T_class_t class)
{
    hid_t attr =
        H5Aexists(object, name) > 0 ? H5Aopen(object, name, H5P_DEFAULT) : -1;
    if (attr < 0)
        return -1;
    hid_t type = H5Aget_type(attr);
    hid_t space = H5Aget_space(attr);
    bool fits = type >= 0 && space >= 0 && H5Tget_class(type) == class &&
                H5Sget_simple_extent_npoints(space) == 1 &&
                (class != H5T_STRING || H5Tis_variable_str(type) > 0);
    dfopt_h5_close(space);
    dfopt_h5_close(type);
    if (fits)
        return attr;
    H5Aclose(attr);
    return -1;
}

static herr_t read_scalar(hid_t object, const char *name, H5T_class_t class,
                          hid_t memory, void *value)
{
    hid_t attr = open_scalar(object, name, class);
    if (attr < 0)
        return -1;
    herr_t status = H5Aread(attr, memory, value);
    H5Aclose(attr);
    return status;
}

herr_t dfopt_h5_read_int(hid_t object, const char *name, int64_t *value)
{
    return read_scalar(object, name, H5T_INTEGER, H5T_NATIVE_INT64, value);
}

herr_t dfopt_h5_read_real(hid_t object, const char *name, double *value)
{
    return read_scalar(object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, value);
}

herr_t dfopt_h5_read_text(hid_t object, const char *name, struct dfopt_buf *out)
{
    hid_t attr = open_scalar(object, name, H5T_STRING);
    hid_t type = attr < 0 ? -1 : H5Aget_type(attr); /* HDF5 converts no encodings */
    char *text = NULL;
    herr_t status = type < 0 ? -1 : H5Aread(attr, type, &text);
    if (status >= 0 && dfopt_buf_add(out, text ? text : "",
                                     text ? strlen(text) + 1 : 1) != DFOPT_OK)
        status = -1;
    if (text)
        H5free_memory(text);
    dfopt_h5_close(type);
    dfopt_h5_close(attr);
    return status;
}
