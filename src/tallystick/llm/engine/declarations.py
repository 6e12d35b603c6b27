"""Declarations of llama.cpp's C interface, for cffi: the part of its llama.h that is used.

Structures change from release to release, without a change of name: `release` says which fits.
"""

FUNCTIONS = """
typedef struct llama_model llama_model;
typedef struct llama_context llama_context;
typedef struct llama_vocab llama_vocab;
typedef struct llama_memory_i * llama_memory_t;

struct llama_model_params {{
    void *       devices;
    const void * tensor_buft_overrides;
    int32_t      n_gpu_layers;
    int32_t      split_mode;
    int32_t      load_mode;
    int32_t      lazy_mode;
    int32_t      main_gpu;
    const float * tensor_split;
    void *       progress_callback;
    void *       progress_callback_user_data;
    const void * kv_overrides;
    bool         vocab_only;
    bool         check_tensors;
    bool         use_extra_bufts;
    bool         no_host;
    bool         no_alloc;
    bool         load_mtp;
}};

struct llama_context_params {{
    uint32_t n_ctx;
    uint32_t n_batch;
    uint32_t n_ubatch;
    uint32_t n_seq_max;
    uint32_t n_rs_seq;
    uint32_t n_outputs_max;
    uint32_t n_outputs_max_per_seq;
    int32_t  n_threads;
    int32_t  n_threads_batch;
    int32_t  ctx_type;
    int32_t  rope_scaling_type;
    int32_t  pooling_type;
    int32_t  attention_type;
    int32_t  flash_attn_type;
    float    rope_freq_base;
    float    rope_freq_scale;
    float    yarn_ext_factor;
    float    yarn_attn_factor;
    float    yarn_beta_fast;
    float    yarn_beta_slow;
    uint32_t yarn_orig_ctx;
    float    defrag_thold;
    void *   cb_eval;
    void *   cb_eval_user_data;
    int32_t  type_k;
    int32_t  type_v;
    void *   abort_callback;
    void *   abort_callback_data;
    {more}
    bool     embeddings;
    bool     offload_kqv;
    bool     no_perf;
    bool     op_offload;
    bool     swa_full;
    bool     kv_unified;
    void *   samplers;
    size_t   n_samplers;
    llama_context * ctx_other;
}};

typedef struct llama_batch {{
    int32_t    n_tokens;
    int32_t *  token;
    float *    embd;
    int32_t *  pos;
    int32_t *  n_seq_id;
    int32_t ** seq_id;
    int8_t *   logits;
}} llama_batch;

const char * llama_version(void);
void llama_backend_init(void);
void llama_log_set(void (*callback)(int level, const char * text, void * data), void * data);
struct llama_model_params llama_model_default_params(void);
struct llama_context_params llama_context_default_params(void);

llama_model * llama_model_load_from_file(const char * path, struct llama_model_params params);
void llama_model_free(llama_model * model);
const llama_vocab * llama_model_get_vocab(const llama_model * model);
bool llama_model_has_encoder(const llama_model * model);
bool llama_model_has_decoder(const llama_model * model);
bool llama_model_is_recurrent(const llama_model * model);
bool llama_model_is_hybrid(const llama_model * model);
bool llama_model_is_diffusion(const llama_model * model);
int32_t llama_model_n_ctx_train(const llama_model * model);
int32_t llama_model_n_swa(const llama_model * model);

llama_context * llama_init_from_model(llama_model * model, struct llama_context_params params);
void llama_free(llama_context * context);
uint32_t llama_n_ctx_seq(const llama_context * context);
uint32_t llama_n_ubatch(const llama_context * context);
llama_memory_t llama_get_memory(const llama_context * context);
bool llama_memory_seq_rm(llama_memory_t memory, int32_t seq, int32_t p0, int32_t p1);
void llama_memory_seq_cp(
    llama_memory_t memory, int32_t seq_from, int32_t seq_to, int32_t p0, int32_t p1);
llama_batch llama_batch_init(int32_t n_tokens, int32_t embd, int32_t n_seq_max);
void llama_batch_free(llama_batch batch);
int32_t llama_decode(llama_context * context, llama_batch batch);
float * llama_get_logits_ith(llama_context * context, int32_t i);

int32_t llama_vocab_n_tokens(const llama_vocab * vocab);
int32_t llama_vocab_type(const llama_vocab * vocab);
const char * llama_vocab_get_text(const llama_vocab * vocab, int32_t id);
int32_t llama_vocab_get_attr(const llama_vocab * vocab, int32_t id);
bool llama_vocab_get_add_bos(const llama_vocab * vocab);
int32_t llama_vocab_bos(const llama_vocab * vocab);
int32_t llama_vocab_eos(const llama_vocab * vocab);
int32_t llama_token_to_piece(
    const llama_vocab * vocab, int32_t id, char * buffer, int32_t length, int32_t lstrip,
    bool special);
int32_t llama_tokenize(
    const llama_vocab * vocab, const char * text, int32_t text_length, int32_t * tokens,
    int32_t n_tokens_max, bool add_special, bool parse_special);
"""
"""With a place for the fields that only later releases have in llama_context_params."""

BACKENDS = """
void * ggml_backend_load(const char * path);
size_t ggml_backend_reg_count(void);
void * ggml_backend_reg_get(size_t index);
const char * ggml_backend_reg_name(void * reg);
const char * ggml_version(void);
const char * ggml_commit(void);
int ggml_backend_score(void);
"""
